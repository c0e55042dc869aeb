package pop3d

import "context"

// stls is STLS (RFC 2595 section 4).
func stls(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	switch {
	case s.utf8: // RFC 6856 section 2.1
		return refusal{"", "STLS comes before UTF8"}
	case s.Encrypted():
		return refusal{"", "TLS is in use already"}
	case s.srv.cfg.TLS == nil:
		return refusal{"", "TLS is not offered here"}
	}
	s.ok("Go ahead with TLS")
	if s.done = s.Out.Flush() != nil; s.done {
		return nil // nobody is left to tell
	}
	dropped, err := s.StartTLS(s.srv.cfg.TLS)
	if dropped > 0 {
		s.log.Warn("pop3 bytes behind STLS dropped", "bytes", dropped)
	}
	if err != nil {
		s.log.Info("pop3 TLS handshake failed", "error", err)
		s.hangUp()
		return nil
	}
	s.user = "" // RFC 2595 section 4: what was known from before is forgotten
	return nil
}
