package pop3d

import "context"

// noop is NOOP (RFC 1939 section 5).
func noop(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.ok("Nothing done")
	return nil
}
