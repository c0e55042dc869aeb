package pop3d

import (
	"context"
	"crypto/tls"
)

// stls is STLS (RFC 2595 section 4).
func stls(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	switch {
	case s.utf8: // RFC 6856 section 2.1
		return refusal{"", "STLS comes before UTF8"}
	case s.encrypted():
		return refusal{"", "TLS is in use already"}
	case s.srv.cfg.TLS == nil:
		return refusal{"", "TLS is not offered here"}
	}
	s.ok("Go ahead with TLS")
	if s.done = s.out.Flush() != nil; s.done {
		return nil // nobody is left to tell
	}
	// Commands sent along with STLS could come from anybody on the way: they are dropped with the old reader's buffer.
	if n := s.in.Buffered(); n > 0 {
		s.log.Warn("pop3 bytes behind STLS dropped", "bytes", n)
	}
	s.mu.Lock()
	plain := s.nc
	s.mu.Unlock()
	encrypted := tls.Server(plain, s.srv.cfg.TLS)
	if err := s.handshake(encrypted); err != nil {
		s.log.Info("pop3 TLS handshake failed", "error", err)
		s.hangUp()
		return nil
	}
	s.mu.Lock()
	s.nc = encrypted
	s.mu.Unlock()
	s.in.Reset(inbound{s})
	s.user = "" // RFC 2595 section 4: what was known from before is forgotten
	return nil
}
