package listener

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// loginBudget times Timeouts.Login is what a login may take, with all commands before it.
const loginBudget = 5

// ErrStopped is why no further command is read while the server shuts down.
var ErrStopped = errors.New("listener: shutting down")

// Timeouts bound a dialog.
type Timeouts struct {
	Login time.Duration // a TLS handshake, and a command before login
	Idle  time.Duration // a command after login, and the wait for it
	Write time.Duration // a piece of output
}

// Dialog is the connection of a session in which one command is read and answered after the other. Before it waits for the
// client, the client gets every answer there is, so answers to pipelined commands travel together. Its methods are the
// session's goroutine's, but for Interrupt, Fail, Stop and Abort.
type Dialog struct {
	In  *bufio.Reader
	Out *bufio.Writer

	times    Timeouts
	ctx      context.Context
	cancel   context.CancelFunc
	stopped  <-chan struct{}
	deadline time.Time // of the command being read
	loginBy  time.Time // when a connection must have logged in

	mu  sync.Mutex // guards the fields below
	nc  net.Conn   // replaced by StartTLS
	why error      // no further command is read
}

// NewDialog returns the dialog of a connection that s has accepted; in and out are the bytes of its buffers. The time for a
// login begins now.
func (s *Server) NewDialog(c Conn, t Timeouts, in, out int) *Dialog {
	d := &Dialog{times: t, stopped: s.stopped, nc: c.Net}
	d.ctx, d.cancel = context.WithCancel(s.ctx)
	d.In = bufio.NewReaderSize(inbound{d}, in)
	d.Out = bufio.NewWriterSize(outbound{d}, out)
	d.AwaitLogin()
	return d
}

// Context ends with the session.
func (d *Dialog) Context() context.Context { return d.ctx }

// AwaitLogin begins the time that a login may take.
func (d *Dialog) AwaitLogin() { d.loginBy = time.Now().Add(loginBudget * d.times.Login) }

// Await begins the time that a command, which is read next, may take. It returns why none is to be read.
func (d *Dialog) Await(loggedIn bool) error {
	if loggedIn {
		d.deadline = time.Now().Add(d.times.Idle)
	} else {
		d.deadline = time.Now().Add(d.times.Login)
		if d.deadline.After(d.loginBy) {
			d.deadline = d.loginBy
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.why
}

// Pause waits, unless the session or the server ends.
func (d *Dialog) Pause(t time.Duration) {
	over := time.NewTimer(t)
	defer over.Stop()
	select {
	case <-over.C:
	case <-d.ctx.Done():
	case <-d.stopped:
	}
}

// Encrypted reports whether TLS is in use.
func (d *Dialog) Encrypted() bool {
	_, ok := d.conn().(*tls.Conn)
	return ok
}

// Handshake does TLS's, in bounded time, where the connection begins with one.
func (d *Dialog) Handshake() error {
	tc, ok := d.conn().(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.times.Login)
	defer cancel()
	return tc.HandshakeContext(ctx)
}

// StartTLS goes over to TLS. It returns how many bytes it dropped: what was sent along with the command, which could come from
// anybody on the way.
func (d *Dialog) StartTLS(cfg *tls.Config) (dropped int, err error) {
	dropped = d.In.Buffered()
	d.mu.Lock()
	d.nc = tls.Server(d.nc, cfg)
	d.mu.Unlock()
	d.In.Reset(inbound{d})
	return dropped, d.Handshake()
}

// Interrupt ends the wait for a command: it and all further ones fail with why. ErrStopped gives way to other reasons.
func (d *Dialog) Interrupt(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why == nil || !errors.Is(why, ErrStopped) {
		d.why = why
	}
	d.nc.SetReadDeadline(time.Unix(1, 0))
}

// Fail is Interrupt, and cancels what runs.
func (d *Dialog) Fail(why error) {
	d.Interrupt(why)
	d.cancel()
}

// Stop implements Session.
func (d *Dialog) Stop() { d.Interrupt(ErrStopped) }

// Abort implements Session; a session calls it at its own end too.
func (d *Dialog) Abort() {
	d.cancel()
	d.conn().Close()
}

func (d *Dialog) conn() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nc
}

// arm sets the deadline of the next read.
func (d *Dialog) arm() (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why != nil {
		return nil, d.why
	}
	return d.nc, d.nc.SetReadDeadline(d.deadline)
}

// reason returns why a read failed.
func (d *Dialog) reason(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return d.why
	}
	return err
}

// inbound reads from the network.
type inbound struct{ d *Dialog }

func (r inbound) Read(p []byte) (int, error) {
	if err := r.d.Out.Flush(); err != nil {
		return 0, err
	}
	nc, err := r.d.arm()
	if err != nil {
		return 0, err
	}
	n, err := nc.Read(p)
	return n, r.d.reason(err)
}

// outbound writes to the network; the deadline moves with every piece that leaves.
type outbound struct{ d *Dialog }

func (w outbound) Write(p []byte) (int, error) {
	nc := w.d.conn()
	nc.SetWriteDeadline(time.Now().Add(w.d.times.Write))
	return nc.Write(p)
}
