package pop3d

import "context"

// capa is CAPA (RFC 2449 section 5): the same in both states, but for what TLS changes.
func capa(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.ok("Capabilities follow")
	s.line("TOP")
	s.line("UIDL")
	s.line("RESP-CODES")
	s.line("AUTH-RESP-CODE")
	s.line("PIPELINING")
	s.line("EXPIRE NEVER")
	s.line("UTF8 USER")
	s.line("LANG")
	if delay := s.srv.cfg.LoginDelay; delay > 0 {
		s.line("LOGIN-DELAY %d", loginDelaySeconds(delay))
	}
	if s.plaintextAllowed() {
		s.line("USER")
		s.line("SASL PLAIN")
	}
	if s.srv.cfg.TLS != nil && !s.Encrypted() {
		s.line("STLS")
	}
	s.line("IMPLEMENTATION Rookery")
	s.dot()
	return nil
}
