package imapd

import "context"

var logoutCommand = command{
	name:   "LOGOUT",
	states: anyState,
	sync:   syncNone,
	parse:  noArguments(logout{}),
}

// logout is LOGOUT (RFC 3501 section 6.1.3).
type logout struct{}

func (logout) run(_ context.Context, s *session) error {
	s.status("BYE", "", "Logging out")
	s.end = errLogout
	return nil
}
