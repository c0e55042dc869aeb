package imapd

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Why a session ends although its client did not ask for it.
var (
	errStopped   = errors.New("imapd: shutting down")
	errDeleted   = errors.New("imapd: the selected mailbox was deleted")
	errPanicked  = errors.New("imapd: a command failed badly")
	errFailures  = errors.New("imapd: too many failed logins")
	errTooManyBD = errors.New("imapd: too many invalid commands")
)

var longAgo = time.Unix(1, 0)

// conn is the connection under a session's Reader and Writer: it keeps the deadlines, and can be interrupted.
type conn struct {
	writeTimeout  time.Duration
	streamTimeout time.Duration

	// streaming: a literal comes in: every piece has its own time, and stop waits for the literal's end. Set by the connection's
	// goroutine between reads.
	streaming bool

	mu      sync.Mutex // guards the fields below
	until   time.Time  // a whole command must be here by then; zero: no limit
	nc      net.Conn
	why     error // set by stop
	waiting bool  // in a read that stop may interrupt
}

// Read reads from the network by the deadline. It fails with stop's reason.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.why != nil && !c.streaming {
		defer c.mu.Unlock()
		return 0, c.why
	}
	nc, deadline := c.nc, c.until
	if c.streaming {
		deadline = time.Now().Add(c.streamTimeout)
	}
	c.waiting = !c.streaming
	nc.SetReadDeadline(deadline)
	c.mu.Unlock()

	n, err := nc.Read(p)

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting && c.why != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.why
	}
	c.waiting = false
	return n, err
}

// Write writes to the network; the deadline moves with every piece that leaves.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	nc.SetWriteDeadline(time.Now().Add(c.writeTimeout))
	return nc.Write(p)
}

// setUntil sets the time by which a whole command must be here, for the read that waits too; zero: no limit.
func (c *conn) setUntil(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	if c.waiting && c.why == nil {
		c.nc.SetReadDeadline(t)
	}
}

// stop ends the wait for commands, now or when the running one has ended. The first reason counts.
func (c *conn) stop(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why = why
	}
	if c.waiting {
		c.nc.SetReadDeadline(longAgo)
	}
}

// cut ends the connection at once.
func (c *conn) cut() {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	nc.Close()
}

// startTLS puts TLS over the connection; the handshake is still to be done.
func (c *conn) startTLS(cfg *tls.Config) *tls.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	tc := tls.Server(c.nc, cfg)
	c.nc = tc
	return tc
}

// tls returns the TLS connection, nil when there is none.
func (c *conn) tls() *tls.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	tc, _ := c.nc.(*tls.Conn)
	return tc
}
