package managesieved

import (
	"context"
	"crypto/tls"
)

// mayStartTLS reports whether STARTTLS is offered.
func (s *session) mayStartTLS() bool {
	return s.srv.cfg.TLS != nil && s.account == nil && !s.encrypted()
}

// startTLS is STARTTLS (RFC 5804 section 2.2): the capabilities follow the handshake.
func startTLS(_ context.Context, s *session, _ *scanned) error {
	switch {
	case s.encrypted():
		return refusal{"", "TLS is in use already"}
	case s.srv.cfg.TLS == nil:
		return refusal{"", "TLS is not offered here"}
	}
	s.ok("", "Begin TLS now")
	if s.done = s.out.Flush() != nil; s.done {
		return nil // nobody is left to tell
	}
	// Commands sent along with STARTTLS could come from anybody on the way: they are dropped with the old reader's buffer.
	if n := s.in.Buffered(); n > 0 {
		s.log.Warn("managesieve bytes behind STARTTLS dropped", "bytes", n)
	}
	s.mu.Lock()
	plain := s.nc
	s.mu.Unlock()
	encrypted := tls.Server(plain, s.srv.cfg.TLS)
	if err := s.handshake(encrypted); err != nil {
		s.log.Info("managesieve TLS handshake failed", "error", err)
		s.done = true
		return nil
	}
	s.mu.Lock()
	s.nc = encrypted
	s.mu.Unlock()
	s.in.Reset(inbound{s})
	s.greet("TLS is in use")
	return nil
}
