package lmtpd

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/internal/listener"
)

// Server is an LMTP server on any number of listeners.
type Server struct {
	cfg     Config
	conns   *listener.Server
	smtp    *smtp.Server
	handoff *handoff
	metrics *metrics

	rates, trustedRates *listener.Rates // of messages

	start sync.Once      // starts go-smtp on the handoff
	wg    sync.WaitGroup // go-smtp's loop
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
	s := &Server{cfg: cfg, handoff: newHandoff(), metrics: m,
		rates: listener.NewRates(cfg.MaxMessageRate), trustedRates: listener.NewRates(cfg.MaxTrustedMessageRate)}
	s.conns = listener.New(listener.Config{
		Protocol: "lmtp", TLS: cfg.TLS, Busy: "421 4.3.2 " + cfg.Hostname + " has too many connections\r\n",
		Open:           func(c listener.Conn) listener.Session { return newConn(s, c) },
		MaxConnections: cfg.MaxConnections, MaxPerAddress: cfg.MaxConnectionsPerAddress, MaxRate: cfg.MaxConnectionRate,
		Log: cfg.Log, NewID: cfg.NewID, Connections: m.connections,
	})

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

// Serve accepts connections on l, of any network, until Shutdown; then it returns nil. With implicitTLS, connections begin with a
// TLS handshake. It closes l. Several calls may run at once.
func (s *Server) Serve(l net.Listener, implicitTLS bool) error { return s.conns.Serve(l, implicitTLS) }

// serve gives a connection to go-smtp and returns when it is closed.
func (s *Server) serve(c *conn) {
	s.start.Do(func() {
		s.wg.Go(func() { _ = s.smtp.Serve(s.handoff) }) // ends with the handoff, without an error
	})
	if !s.handoff.give(c) {
		_ = c.Close()
	}
	<-c.ended
}

// lastWords is how long go-smtp's goroutines have after their connections are closed.
const lastWords = 2 * time.Second

// Shutdown stops accepting. Connections that wait for a command are told 421 4.3.2 and closed at once. A message that is
// coming in may be completed, and what is complete is delivered and answered, until ctx ends; then what is still coming in
// is told 421 4.3.2, deliveries are given up with 451, and Shutdown returns ctx's error. Later calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.conns.Shutdown(ctx)
	ended := make(chan struct{})
	go func() { // ends with the connections' goroutines
		defer close(ended)
		_ = s.smtp.Shutdown(context.Background())
		s.handoff.end() // if go-smtp never served
		s.wg.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(lastWords):
		s.cfg.Log.Error("lmtp connections did not end")
	}
	return err
}
