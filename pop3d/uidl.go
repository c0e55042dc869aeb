package pop3d

import "context"

// uidl is UIDL (RFC 1939 section 7); see the package comment for what the unique-id is.
func uidl(_ context.Context, s *session, args string) error {
	return s.listing(args, func(m *dropped) string { return m.body.String() })
}
