package managesieved

import "context"

// mayStartTLS reports whether STARTTLS is offered.
func (s *session) mayStartTLS() bool {
	return s.srv.cfg.TLS != nil && s.account == nil && !s.Encrypted()
}

// startTLS is STARTTLS (RFC 5804 section 2.2): the capabilities follow the handshake.
func startTLS(_ context.Context, s *session, _ *scanned) error {
	switch {
	case s.Encrypted():
		return refusal{"", "TLS is in use already"}
	case s.srv.cfg.TLS == nil:
		return refusal{"", "TLS is not offered here"}
	}
	s.ok("", "Begin TLS now")
	if s.done = s.Out.Flush() != nil; s.done {
		return nil // nobody is left to tell
	}
	dropped, err := s.StartTLS(s.srv.cfg.TLS)
	if dropped > 0 {
		s.log.Warn("managesieve bytes behind STARTTLS dropped", "bytes", dropped)
	}
	if err != nil {
		s.log.Info("managesieve TLS handshake failed", "error", err)
		s.done = true
		return nil
	}
	s.greet("TLS is in use")
	return nil
}
