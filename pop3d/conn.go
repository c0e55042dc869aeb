package pop3d

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"
)

const (
	inputBytes  = 4 << 10 // also the longest command line; RFC 2449 section 4 asks for 255
	outputBytes = 16 << 10
)

var (
	errStopped  = errors.New("pop3d: shutting down")
	errLost     = errors.New("pop3d: the lease was lost")
	errTooLong  = errors.New("pop3d: line too long")
	longAgo     = time.Unix(1, 0)
	loginBudget = 5 // times LoginTimeout, for all commands before login
)

// inbound reads from the network. Before it waits, the client gets every reply there is: replies to pipelined commands travel
// together.
type inbound struct{ s *session }

func (r inbound) Read(p []byte) (int, error) {
	if err := r.s.out.Flush(); err != nil {
		return 0, err
	}
	nc, err := r.s.arm()
	if err != nil {
		return 0, err
	}
	return nc.Read(p)
}

// arm sets the deadline of the next read.
func (s *session) arm() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.lost:
		return nil, errLost
	case s.stopping:
		return nil, errStopped
	}
	return s.nc, s.nc.SetReadDeadline(s.deadline)
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

// startClock sets the time a whole command line may take.
func (s *session) startClock() {
	if s.drop != nil {
		s.deadline = time.Now().Add(s.srv.cfg.IdleTimeout)
		return
	}
	s.deadline = time.Now().Add(s.srv.cfg.LoginTimeout)
	if s.deadline.After(s.loginBy) {
		s.deadline = s.loginBy
	}
}

// readLine returns the next line without its end: CRLF, or LF alone. It is valid until the next read. errTooLong: the line was
// read over.
func (s *session) readLine() ([]byte, error) {
	s.mu.Lock()
	stopping, lost := s.stopping, s.lost
	s.mu.Unlock()
	switch {
	case lost:
		return nil, errLost
	case stopping:
		return nil, errStopped
	}
	s.startClock()
	line, err := s.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.in.ReadSlice('\n')
		}
		if err == nil {
			err = errTooLong
		}
	}
	if err != nil {
		return nil, s.why(err)
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// why returns the reason of a read that was interrupted.
func (s *session) why(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case s.lost:
		return errLost
	case s.stopping:
		return errStopped
	}
	return err
}

// farewell says why the session ends, where that is of any use.
func (s *session) farewell(err error) {
	switch {
	case errors.Is(err, errLost):
		s.err(refusal{"SYS/TEMP", "The lock of the maildrop was lost, nothing was deleted"})
	case errors.Is(err, errStopped):
		s.err(refusal{"SYS/TEMP", "The server is shutting down"})
	case errors.Is(err, os.ErrDeadlineExceeded) && s.drop != nil:
		s.err(refusal{"", "Autologout, nothing was deleted"}) // RFC 1939 section 3
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.err(refusal{"", "Waited too long for a login"})
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

// leaseLost ends the session as soon as possible: what it does for its maildrop fails, and it waits for no command.
func (s *session) leaseLost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
	s.nc.SetReadDeadline(longAgo)
	s.cancel()
}

// Abort implements listener.Session: it ends the session at once.
func (s *session) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
	s.nc.Close()
}
