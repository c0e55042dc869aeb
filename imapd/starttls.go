package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/internal/language"
)

var startTLSCommand = command{
	name:   "STARTTLS",
	states: notAuthenticated,
	parse:  noArguments(startTLS{}),
}

// startTLS is STARTTLS (RFC 3501 section 6.2.1).
type startTLS struct{}

func (startTLS) run(_ context.Context, s *session) error {
	if !s.mayStartTLS() {
		if s.conn.tls() != nil {
			return bad("TLS is in use already")
		}
		return no("CANNOT", "TLS is not configured")
	}
	s.after = s.startTLS
	return &statusError{typ: "OK", text: "Begin TLS negotiation now"}
}

func (s *session) mayStartTLS() bool { return s.srv.cfg.TLS != nil && s.conn.tls() == nil }

// startTLS does the handshake. What came in before it in clear came from nobody knows whom, and is dropped, and so is
// what it changed in the session.
func (s *session) startTLS() error {
	s.r.DropBuffered()
	s.failures, s.badRow = 0, 0
	s.language = language.Default // RFC 5255 section 3.1: who chose it is not known
	return s.handshake(s.conn.startTLS(s.srv.cfg.TLS))
}
