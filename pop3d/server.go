package pop3d

import (
	"context"
	"net"

	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/internal/listener"
)

// Server is a POP3 server on any number of listeners.
type Server struct {
	cfg     Config
	metrics *metrics
	conns   *listener.Server
	ahead   *semaphore.Weighted // Config.ReadAhead
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
	s := &Server{cfg: cfg, metrics: m, ahead: semaphore.NewWeighted(cfg.ReadAhead)}
	s.conns = listener.New(listener.Config{
		Protocol: "pop3", TLS: cfg.TLS, Busy: "-ERR [SYS/TEMP] Too many connections\r\n",
		Open:           func(c listener.Conn) listener.Session { return newSession(s, c) },
		MaxConnections: cfg.MaxConnections, MaxPerAddress: cfg.MaxConnectionsPerAddress, MaxRate: cfg.MaxConnectionRate,
		Log: cfg.Log, NewID: cfg.NewID, Connections: m.connections,
	})
	return s, nil
}

// Serve accepts connections on l until Shutdown; then it returns nil. With implicitTLS, connections begin with a TLS handshake.
// It closes l. Several calls may run at once.
func (s *Server) Serve(l net.Listener, implicitTLS bool) error { return s.conns.Serve(l, implicitTLS) }

// Shutdown stops accepting. Sessions that wait for a command are told so and closed; running commands, QUIT's deletions
// among them, may end until ctx does. Then connections are cut and Shutdown returns ctx's error. Nobody's messages are deleted
// but by a QUIT. Later calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error { return s.conns.Shutdown(ctx) }
