package imapd

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// Server is an IMAP server on any number of listeners.
type Server struct {
	cfg     Config
	metrics *metrics

	ctx    context.Context // ends when Shutdown gives up waiting
	cancel context.CancelFunc
	wg     sync.WaitGroup // accept loops and sessions

	mu        sync.Mutex // guards the fields below
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	accounts  map[metadata.AccountID]int // logged-in sessions
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
	srv := &Server{
		cfg:       cfg,
		metrics:   m,
		listeners: map[net.Listener]struct{}{},
		sessions:  map[*session]struct{}{},
		accounts:  map[metadata.AccountID]int{},
		stopped:   make(chan struct{}),
	}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	return srv, nil
}

// Serve accepts connections on l until Shutdown; then it returns nil. With implicitTLS, connections begin with a TLS handshake.
// It closes l. Several calls may run at once.
func (srv *Server) Serve(l net.Listener, implicitTLS bool) error {
	defer l.Close()
	if implicitTLS && srv.cfg.TLS == nil {
		return errors.New("imapd: a listener with implicit TLS needs a TLS configuration")
	}
	srv.mu.Lock()
	if srv.stopping {
		srv.mu.Unlock()
		return nil
	}
	srv.listeners[l] = struct{}{}
	srv.wg.Add(1)
	srv.mu.Unlock()
	defer srv.wg.Done()

	var pause time.Duration
	for {
		nc, err := l.Accept()
		if err != nil {
			select {
			case <-srv.stopped:
				return nil
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			// Mostly too many open files: connections that end make room.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			srv.cfg.Log.Error("imap accept", "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
				continue
			case <-srv.stopped:
				return nil
			}
		}
		pause = 0
		local := isLocal(nc.RemoteAddr())
		if implicitTLS {
			nc = tls.Server(nc, srv.cfg.TLS)
		}
		srv.admit(nc, local)
	}
}

// admit starts a session, or refuses the connection.
func (srv *Server) admit(nc net.Conn, local bool) {
	srv.mu.Lock()
	if srv.stopping || len(srv.sessions) >= srv.cfg.MaxConnections {
		srv.mu.Unlock()
		refuse(nc)
		return
	}
	defer srv.mu.Unlock()
	s := newSession(srv, nc, local)
	srv.sessions[s] = struct{}{}
	srv.metrics.connections.Inc()
	srv.wg.Go(func() {
		s.serve()
		srv.mu.Lock()
		delete(srv.sessions, s)
		srv.mu.Unlock()
		srv.metrics.connections.Dec()
	})
}

// enter counts a session that logs in; false when the account has too many already.
func (srv *Server) enter(id metadata.AccountID) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if limit := srv.cfg.MaxConnectionsPerAccount; limit > 0 && srv.accounts[id] >= limit {
		return false
	}
	srv.accounts[id]++
	return true
}

func (srv *Server) leave(id metadata.AccountID) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.accounts[id]--; srv.accounts[id] <= 0 {
		delete(srv.accounts, id)
	}
}
