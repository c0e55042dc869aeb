package pop3d

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Server is a POP3 server on any number of listeners.
type Server struct {
	cfg     Config
	metrics *metrics

	ctx    context.Context // ends when Shutdown gives up waiting
	cancel context.CancelFunc
	wg     sync.WaitGroup // accept loops and sessions

	mu        sync.Mutex // guards the fields below
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	stopping  bool
	stopped   chan struct{} // closed with stopping
}

// New returns a Server that serves nothing yet.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:       cfg,
		metrics:   m,
		listeners: map[net.Listener]struct{}{},
		sessions:  map[*session]struct{}{},
		stopped:   make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Serve accepts connections on l until Shutdown; then it returns nil. With implicitTLS, connections begin with a TLS handshake.
// It closes l. Several calls may run at once.
func (s *Server) Serve(l net.Listener, implicitTLS bool) error {
	defer l.Close()
	if implicitTLS && s.cfg.TLS == nil {
		return errors.New("pop3d: a listener with implicit TLS needs a TLS configuration")
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()

	var pause time.Duration
	for {
		nc, err := l.Accept()
		if err != nil {
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
			s.cfg.Log.Error("pop3 accept", "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
				continue
			case <-s.stopped:
				return nil
			}
		}
		pause = 0
		if implicitTLS {
			nc = tls.Server(nc, s.cfg.TLS)
		}
		s.admit(nc)
	}
}

// admit starts a session, or refuses the connection.
func (s *Server) admit(nc net.Conn) {
	ses := newSession(s, nc)
	s.mu.Lock()
	if s.stopping || len(s.sessions) >= s.cfg.MaxConnections {
		s.mu.Unlock()
		ses.refuse()
		return
	}
	defer s.mu.Unlock()
	s.sessions[ses] = struct{}{}
	s.metrics.connections.Inc()
	s.wg.Go(func() {
		ses.serve()
		s.mu.Lock()
		delete(s.sessions, ses)
		s.mu.Unlock()
		s.metrics.connections.Dec()
	})
}
