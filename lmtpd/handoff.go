package lmtpd

import (
	"net"
	"sync"
)

// handoff is the one listener that go-smtp knows: connections come from the accept loops of Serve.
type handoff struct {
	conns   chan *conn
	closing chan struct{}
	once    sync.Once
}

func newHandoff() *handoff {
	return &handoff{conns: make(chan *conn), closing: make(chan struct{})}
}

// give waits until go-smtp has taken c. false: it never will.
func (h *handoff) give(c *conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.closing:
		return false
	}
}

func (h *handoff) end() { h.once.Do(func() { close(h.closing) }) }

// Accept implements net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closing:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handoff) Close() error {
	h.end()
	return nil
}

// Addr implements net.Listener.
func (h *handoff) Addr() net.Addr { return &net.UnixAddr{Name: "handoff", Net: "lmtp"} }
