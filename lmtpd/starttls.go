package lmtpd

import (
	"context"
	"crypto/tls"
	"io"
)

// startTLS answers STARTTLS (RFC 3207). go-smtp is told RSET, and its answer is dropped: what it knew from before, the
// transaction and LHLO's argument, no longer counts.
func (c *conn) startTLS(args string) ([]byte, error) {
	switch {
	case c.encrypted():
		c.say("503 5.5.1 TLS is in use already")
		return nil, nil
	case c.srv.cfg.TLS == nil:
		c.say("502 5.5.1 TLS is not offered here")
		return nil, nil
	case args != "":
		c.say("501 5.5.4 STARTTLS has no parameters")
		return nil, nil
	}
	c.say("220 2.0.0 Go ahead with TLS")
	if err := c.flush(); err != nil {
		return nil, err
	}
	// Commands sent along with STARTTLS could come from anybody on the way.
	if n := c.in.Buffered(); n > 0 {
		c.log.Warn("lmtp bytes behind STARTTLS dropped", "bytes", n)
	}

	ctx, cancel := context.WithTimeout(c.ctx, c.srv.cfg.WriteTimeout)
	defer cancel()
	c.mu.Lock()
	plain := c.nc
	c.mu.Unlock()
	encrypted := tls.Server(plain, c.srv.cfg.TLS)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		c.log.Info("lmtp TLS handshake failed", "error", err)
		c.dead = true
		return nil, io.EOF
	}
	c.mu.Lock()
	c.nc = encrypted
	c.mu.Unlock()
	c.in.Reset(inbound{c})
	c.greeted = false
	c.verb, c.mute = "RSET", true
	return []byte("RSET\r\n"), nil
}
