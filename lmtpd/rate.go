package lmtpd

import "github.com/rookery-mail/rookery/internal/listener"

// mayBegin reports whether the client may send one more message now. Who it is depends on XCLIENT, not on XFORWARD: the one is
// who speaks, the other where one message came from.
func (s *Server) mayBegin(c *conn) bool {
	client, local := listener.Client(c.remote)
	ok := true
	switch {
	case listener.Within(s.cfg.TrustedNetworks, c.remote):
		ok = s.trustedRates.Allow(client)
	case !local:
		ok = s.rates.Allow(client)
	}
	if !ok {
		s.metrics.throttled.Inc()
	}
	return ok
}
