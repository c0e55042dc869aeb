package managesieved

import "context"

// logout is LOGOUT (RFC 5804 section 2.3).
func logout(_ context.Context, s *session, _ *scanned) error {
	s.ok("", "Good bye")
	s.done = true
	return nil
}
