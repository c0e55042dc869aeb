package pop3d

import "context"

// rset is RSET (RFC 1939 section 5).
func rset(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.drop.unmark()
	s.drop.ahead.forget() // it passed over what was marked
	s.ok("%d messages (%d octets)", s.drop.count, s.drop.octets)
	return nil
}
