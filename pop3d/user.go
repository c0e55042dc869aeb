package pop3d

import "context"

// user is USER (RFC 1939 section 7). Whether there is such a user is not said.
func user(_ context.Context, s *session, args string) error {
	s.user = ""
	if err := s.mayLogin(); err != nil {
		return err
	}
	if args == "" {
		return refusal{"", "USER takes a name"}
	}
	s.user = args
	s.ok("Now PASS")
	return nil
}

// pass is PASS (RFC 1939 section 7). Spaces belong to the password.
func pass(ctx context.Context, s *session, args string) error {
	name := s.user
	s.user = ""
	if err := s.mayLogin(); err != nil {
		return err
	}
	if name == "" {
		return refusal{"", "USER first"}
	}
	return s.login(ctx, name, args)
}
