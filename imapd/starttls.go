package imapd

import "context"

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

// startTLS does the handshake. What came in before it in clear came from nobody knows whom, and is dropped; the session has no
// state yet that could be kept by mistake, but for a command's count.
func (s *session) startTLS() error {
	s.r.DropBuffered()
	s.failures, s.badRow = 0, 0
	return s.handshake(s.conn.startTLS(s.srv.cfg.TLS))
}
