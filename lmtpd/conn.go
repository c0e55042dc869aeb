package lmtpd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/internal/listener"
)

const (
	inputBytes  = 8 << 10  // also the longest command line
	outputBytes = 16 << 10 // replies held back at most
)

// phase is what a connection is doing, as far as Shutdown must know.
type phase uint8

const (
	waiting    phase = iota // for a command
	receiving               // a message
	delivering              // the message is complete
)

// conn stands between go-smtp and the network; see the package comment. go-smtp's goroutine uses it, and during a message the
// goroutine that go-smtp starts for it, never both at once. Only stop, abort, cut and what mu guards are for other goroutines.
type conn struct {
	srv     *Server
	log     *slog.Logger
	peerLog *slog.Logger    // before XCLIENT
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	local   net.Addr
	remote  net.Addr // the client, by XCLIENT another one than peer
	peer    net.Addr

	in  *bufio.Reader // of inbound, which flushes out before it waits
	out bytes.Buffer  // replies not written yet

	partial []byte // go-smtp's reply line so far
	verb    string // the command go-smtp is working on
	mute    bool   // its replies are dropped until it asks for the next command
	greeted bool   // LHLO was accepted, and nothing (STARTTLS) has undone it
	toHand  []byte // rest of the line that go-smtp is given
	held    []byte // a command that ended a chunked message, to be handed next

	session   *session   // nil until go-smtp has made it
	client    attributes // by XCLIENT
	forwarded attributes // by XFORWARD, of the next transaction or the present one

	body     *body     // the message being received; nil outside
	deadline time.Time // of the command line or the whole message

	dead  bool          // nothing is read or written any more
	ended chan struct{} // closed by Close

	mu       sync.Mutex // guards the fields below
	nc       net.Conn   // replaced by STARTTLS
	phase    phase
	stopping bool // commands are no longer taken
	aborting bool // messages neither
	closed   bool
}

func newConn(s *Server, from listener.Conn) *conn {
	c := &conn{
		srv: s,
		log: from.Log, peerLog: from.Log,
		nc:     from.Net,
		local:  from.Net.LocalAddr(),
		remote: from.Net.RemoteAddr(),
		peer:   from.Net.RemoteAddr(),
		ended:  make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(s.conns.Context())
	c.in = bufio.NewReaderSize(inbound{c}, inputBytes)
	return c
}

// Serve implements listener.Session.
func (c *conn) Serve() { c.srv.serve(c) }

// inbound reads from the network. Before it waits, the client gets every reply there is (RFC 2920 section 3.2).
type inbound struct{ c *conn }

func (r inbound) Read(p []byte) (int, error) {
	c := r.c
	if err := c.flush(); err != nil {
		return 0, err
	}
	nc, err := c.arm()
	if err != nil {
		return 0, err
	}
	return nc.Read(p)
}

// errStopped ends a read because the server shuts down.
var errStopped = errors.New("lmtpd: shutting down")

// arm sets the deadline of the next read from the network: the whole command's or message's, and during a message not longer
// than one piece may take.
func (c *conn) arm() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.aborting || c.stopping && c.phase == waiting {
		return nil, errStopped
	}
	d := c.deadline
	if c.phase == receiving {
		if piece := time.Now().Add(c.srv.cfg.DataTimeout); piece.Before(d) {
			d = piece
		}
	}
	return c.nc, c.nc.SetReadDeadline(d)
}

func (c *conn) setPhase(p phase) {
	c.mu.Lock()
	c.phase = p
	c.mu.Unlock()
}

// Read gives go-smtp the next command line, or the empty message it is to take for the one that was received.
func (c *conn) Read(p []byte) (n int, err error) {
	defer c.recoverTo(&err)
	if len(c.toHand) == 0 {
		if c.toHand, err = c.next(); err != nil {
			return 0, io.EOF // whatever was to be said has been said
		}
	}
	n = copy(p, c.toHand)
	c.toHand = c.toHand[n:]
	return n, nil
}

// Write takes go-smtp's replies line by line; see reply.go.
func (c *conn) Write(p []byte) (n int, err error) {
	defer c.recoverTo(&err)
	n = len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			c.partial = append(c.partial, p...)
			break
		}
		c.partial = append(c.partial, p[:i+1]...)
		c.reply(c.partial)
		c.partial = c.partial[:0]
		p = p[i+1:]
	}
	if c.out.Len() >= outputBytes {
		return n, c.flush()
	}
	return n, nil
}

// recoverTo keeps a panic from ending the process: go-smtp has no recovery around reads and writes.
func (c *conn) recoverTo(err *error) {
	if v := recover(); v != nil {
		c.log.Error("lmtp panic", "panic", v, "stack", string(debug.Stack()))
		c.bye("421 4.3.0 Internal error")
		*err = net.ErrClosed
	}
}

// say adds a reply of conn's own.
func (c *conn) say(line string) {
	if !c.dead {
		c.out.WriteString(line)
		c.out.WriteString("\r\n")
	}
}

// bye says why the connection ends and makes everything after it vanish.
func (c *conn) bye(line string) {
	c.say(line)
	_ = c.flush()
	c.dead = true
}

// flush writes the replies there are.
func (c *conn) flush() error {
	if c.dead || c.out.Len() == 0 {
		return nil
	}
	c.mu.Lock()
	nc, closed := c.nc, c.closed
	c.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	if err := c.handshake(nc); err != nil {
		c.dead = true
		return err
	}
	nc.SetWriteDeadline(time.Now().Add(c.srv.cfg.WriteTimeout))
	_, err := nc.Write(c.out.Bytes())
	c.out.Reset()
	if err != nil {
		c.dead = true
	}
	return err
}

// handshake completes TLS on a connection that is encrypted from the start, in bounded time.
func (c *conn) handshake(nc net.Conn) error {
	tc, ok := nc.(*tls.Conn)
	if !ok || tc.ConnectionState().HandshakeComplete {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.srv.cfg.WriteTimeout)
	defer cancel()
	return tc.HandshakeContext(ctx)
}

// encrypted reports whether TLS is in use.
func (c *conn) encrypted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.nc.(*tls.Conn)
	return ok
}

// lost says what there is to be said about a read that failed, and ends the connection.
func (c *conn) lost(err error) error {
	var timeout net.Error
	c.mu.Lock()
	stopped := c.stopping && c.phase == waiting || c.aborting
	c.mu.Unlock()
	switch {
	case stopped || errors.Is(err, errStopped):
		c.bye("421 4.3.2 " + c.srv.cfg.Hostname + " is shutting down")
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		c.bye("421 4.4.2 " + c.srv.cfg.Hostname + " waited too long")
	default:
		c.dead = true
	}
	return err
}

// Stop implements listener.Session: it ends the wait for commands.
func (c *conn) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	if c.phase == waiting {
		c.nc.SetReadDeadline(longAgo)
	}
}

// Abort implements listener.Session: it ends the wait for the rest of a message, too, and what is being delivered.
func (c *conn) Abort() {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping, c.aborting = true, true
	c.nc.SetReadDeadline(longAgo)
}

var longAgo = time.Unix(1, 0)

// Close writes what is left to be said and closes the connection. It may be called again.
func (c *conn) Close() error {
	_ = c.flush()
	c.dead = true // go-smtp reads on, and its session is gone: what is left of the input is not for it
	c.mu.Lock()
	again := c.closed
	c.closed = true
	nc := c.nc
	c.mu.Unlock()
	if again {
		return nil
	}
	defer close(c.ended)
	c.cancel()
	return nc.Close()
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline does nothing: conn keeps its own time.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: conn keeps its own time.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: conn keeps its own time.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
