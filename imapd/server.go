package imapd

import (
	"context"
	"net"

	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/metadata"
)

// Server is an IMAP server on any number of listeners.
type Server struct {
	cfg      Config
	metrics  *metrics
	reads    *semaphore.Weighted // of messages that searches read
	texts    *textCache          // what FETCH wrote before
	conns    *listener.Server
	ctx      context.Context // ends when Shutdown gives up waiting
	stopped  <-chan struct{} // closed when Shutdown begins
	accounts listener.Count[metadata.AccountID]
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
	srv := &Server{cfg: cfg, metrics: m, reads: newSearchReads(), texts: newTextCache(cfg.TextBytes)}
	srv.conns = listener.New(listener.Config{
		Protocol: "imap", TLS: cfg.TLS, Busy: "* BYE [UNAVAILABLE] Too many connections\r\n",
		Open:           func(c listener.Conn) listener.Session { return newSession(srv, c) },
		MaxConnections: cfg.MaxConnections, MaxPerAddress: cfg.MaxConnectionsPerAddress, MaxRate: cfg.MaxConnectionRate,
		Log: cfg.Log, NewID: cfg.NewID, Connections: m.connections,
	})
	srv.ctx, srv.stopped = srv.conns.Context(), srv.conns.Stopped()
	return srv, nil
}

// Serve accepts connections on l until Shutdown; then it returns nil. With implicitTLS, connections begin with a TLS handshake.
// It closes l. Several calls may run at once.
func (srv *Server) Serve(l net.Listener, implicitTLS bool) error {
	return srv.conns.Serve(l, implicitTLS)
}

// Shutdown stops accepting. Sessions that wait for a command, or in IDLE, are told BYE and closed; running commands, an APPEND
// whose message is coming in among them, may end until ctx does. Then connections are cut and Shutdown returns ctx's error. Later
// calls do nothing.
func (srv *Server) Shutdown(ctx context.Context) error { return srv.conns.Shutdown(ctx) }

// Serve implements listener.Session.
func (s *session) Serve() { s.serve() }

// Stop implements listener.Session.
func (s *session) Stop() { s.conn.stop(errStopped) }

// Abort implements listener.Session.
func (s *session) Abort() { s.conn.cut() }

// enter counts a session that logs in; false when the account has too many already.
func (srv *Server) enter(id metadata.AccountID) bool {
	return srv.accounts.Enter(id, srv.cfg.MaxConnectionsPerAccount)
}

func (srv *Server) leave(id metadata.AccountID) { srv.accounts.Leave(id) }
