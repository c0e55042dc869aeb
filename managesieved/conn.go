package managesieved

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"
)

const (
	inputBytes  = 4 << 10
	outputBytes = 8 << 10
	// loginBudget times LoginTimeout is what a login may take, with all commands before it.
	loginBudget = 5
)

var (
	errStopped = errors.New("managesieved: shutting down")
	longAgo    = time.Unix(1, 0)
)

// inbound reads from the network. Before it waits, the client gets every response there is.
type inbound struct{ s *session }

func (r inbound) Read(p []byte) (int, error) {
	if err := r.s.out.Flush(); err != nil {
		return 0, err
	}
	nc, err := r.s.arm()
	if err != nil {
		return 0, err
	}
	n, err := nc.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && r.s.told() {
		err = errStopped
	}
	return n, err
}

// arm sets the deadline of the next read.
func (s *session) arm() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, errStopped
	}
	return s.nc, s.nc.SetReadDeadline(s.deadline)
}

// told reports whether the session was asked to stop.
func (s *session) told() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// outbound writes to the network; the deadline moves with every piece that leaves.
type outbound struct{ s *session }

func (w outbound) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	nc := w.s.nc
	w.s.mu.Unlock()
	nc.SetWriteDeadline(time.Now().Add(w.s.srv.cfg.WriteTimeout))
	return nc.Write(p)
}

// startClock sets the time a whole command may take to come in.
func (s *session) startClock() {
	if s.account != nil {
		s.deadline = time.Now().Add(s.srv.cfg.IdleTimeout)
		return
	}
	s.deadline = time.Now().Add(s.srv.cfg.LoginTimeout)
	if s.deadline.After(s.loginBy) {
		s.deadline = s.loginBy
	}
}

// encrypted reports whether TLS is in use.
func (s *session) encrypted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.nc.(*tls.Conn)
	return ok
}

// handshake does TLS's in bounded time.
func (s *session) handshake(tc *tls.Conn) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.srv.cfg.LoginTimeout)
	defer cancel()
	return tc.HandshakeContext(ctx)
}

// Stop implements listener.Session: it ends the wait for commands.
func (s *session) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	s.nc.SetReadDeadline(longAgo)
}

// Abort implements listener.Session: it ends the session at once.
func (s *session) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
	s.nc.Close()
}
