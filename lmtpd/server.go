package lmtpd

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Server is an LMTP server on any number of listeners.
type Server struct {
	cfg     Config
	smtp    *smtp.Server
	handoff *handoff
	metrics *metrics
	retries *retries

	ctx    context.Context // ends when Shutdown gives up waiting
	cancel context.CancelFunc
	start  sync.Once      // starts go-smtp on the handoff
	wg     sync.WaitGroup // accept loops and go-smtp's loop

	mu        sync.Mutex // guards the fields below
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	stopping  bool
	empty     chan struct{} // closed when stopping and the last connection is gone
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
		handoff:   newHandoff(),
		metrics:   m,
		retries:   newRetries(cfg.Now),
		listeners: map[net.Listener]struct{}{},
		conns:     map[*conn]struct{}{},
		empty:     make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())

	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.smtp.LMTP = true
	s.smtp.Domain = cfg.Hostname
	s.smtp.TLSConfig = cfg.TLS // only so that STARTTLS is advertised; see starttls.go
	s.smtp.MaxMessageBytes = cfg.MaxMessageBytes
	s.smtp.MaxRecipients = cfg.MaxRecipients
	s.smtp.MaxLineLength = 1 << 20 // conn's own bounds come first
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = libraryLog{cfg.Log}
	return s, nil
}

// Serve accepts connections on l, of any network, until Shutdown; then it returns nil. A listener of crypto/tls makes
// connections encrypted from the start. It closes l. Several calls may run at once.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	s.start.Do(func() {
		s.wg.Go(func() { _ = s.smtp.Serve(s.handoff) }) // ends with the handoff, without an error
	})

	var pause time.Duration
	for {
		nc, err := l.Accept()
		if err != nil {
			if s.isStopping() {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			// Mostly too many open files: connections that end make room.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.cfg.Log.Error("lmtp accept", "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
				continue
			case <-s.handoff.closing:
				return nil
			}
		}
		pause = 0
		s.admit(nc)
	}
}

// admit gives a new connection to go-smtp, or refuses it.
func (s *Server) admit(nc net.Conn) {
	c := newConn(s, nc)
	s.mu.Lock()
	refuse := s.stopping || len(s.conns) >= s.cfg.MaxConnections
	if !refuse {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if refuse {
		c.refuse()
		return
	}
	s.metrics.connections.Inc()
	if !s.handoff.give(c) {
		_ = c.Close()
	}
}

// forget is called once by every admitted connection, at its end.
func (s *Server) forget(c *conn) {
	s.metrics.connections.Dec()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.stopping && len(s.conns) == 0 {
		close(s.empty)
	}
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}
