package listener

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Server serves one protocol on any number of listeners.
type Server struct {
	cfg       Config
	addresses Count[netip.Prefix]
	rates     *Rates

	ctx     context.Context // ends when Shutdown gives up waiting, or is done
	cancel  context.CancelFunc
	stopped chan struct{}  // closed by Shutdown
	wg      sync.WaitGroup // accept loops and sessions

	mu        sync.Mutex // guards the fields below
	listeners map[*net.Listener]struct{}
	conns     map[*open]struct{}
	stopping  bool
}

// open is a connection that counts.
type open struct {
	nc  net.Conn
	ses Session // guarded by Server.mu; nil until there is one
}

// New returns a Server that serves nothing yet.
func New(cfg Config) *Server {
	s := &Server{
		cfg:       cfg.withDefaults(),
		rates:     NewRates(cfg.MaxRate),
		listeners: map[*net.Listener]struct{}{},
		conns:     map[*open]struct{}{},
		stopped:   make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Context ends when Shutdown has given up waiting for sessions, or is done. Sessions derive theirs from it.
func (s *Server) Context() context.Context { return s.ctx }

// Stopped is closed as soon as Shutdown begins.
func (s *Server) Stopped() <-chan struct{} { return s.stopped }

// Len returns how many connections there are.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Serve accepts connections on l until Shutdown; then it returns nil. With implicitTLS, connections begin with a TLS handshake.
// It closes l. Several calls may run at once.
func (s *Server) Serve(l net.Listener, implicitTLS bool) error {
	defer l.Close()
	if implicitTLS && s.cfg.TLS == nil {
		return fmt.Errorf("%s: a listener with implicit TLS needs a TLS configuration", s.cfg.Protocol)
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.listeners[&l] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, &l)
	}()

	var pause time.Duration
	for {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			s.admit(nc, implicitTLS)
			continue
		}
		select {
		case <-s.stopped:
			return nil
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Mostly too many open files: connections that end make room.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.cfg.Log.Error("accept", "protocol", s.cfg.Protocol, "error", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-s.stopped:
			return nil
		}
	}
}

// ServeConn serves a connection that no listener of Serve's has accepted, as if one had. It does not wait for its end.
func (s *Server) ServeConn(nc net.Conn) { s.admit(nc, false) }

// admit gives a connection a goroutine, or refuses it.
func (s *Server) admit(nc net.Conn, implicitTLS bool) {
	c := &open{nc: nc}
	s.mu.Lock()
	refused := s.stopping || s.cfg.MaxConnections > 0 && len(s.conns) >= s.cfg.MaxConnections
	if !refused {
		s.conns[c] = struct{}{}
		s.wg.Add(1)
	}
	s.mu.Unlock()
	if refused {
		s.refuse(nc, implicitTLS)
		return
	}
	go func() {
		defer s.wg.Done()
		defer s.forget(c)
		s.run(c, implicitTLS)
	}()
}

func (s *Server) forget(c *open) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	_ = c.nc.Close()
}

// refuse says why and closes.
func (s *Server) refuse(nc net.Conn, implicitTLS bool) {
	defer nc.Close()
	if implicitTLS {
		return // a handshake is more than it deserves now
	}
	nc.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = nc.Write([]byte(s.cfg.Busy)) // who does not hear it sees the end
}

// implicit puts TLS over a connection.
func (s *Server) implicit(nc net.Conn) net.Conn { return tls.Server(nc, s.cfg.TLS) }
