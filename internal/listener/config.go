package listener

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Session is one connection of a speaker. Stop and Abort may be called from any goroutine, at any time, more than once.
type Session interface {
	// Serve runs the session to its end. The socket is closed behind it.
	Serve()
	// Stop asks the session to end before it waits for another command. It does not wait for that.
	Stop()
	// Abort asks it to give up what it is doing; a last word may still be said. The socket is closed soon after.
	Abort()
}

// Conn is a connection that was admitted.
type Conn struct {
	Net   net.Conn     // a *tls.Conn whose handshake is still to be done, with implicit TLS
	Local bool         // what the client sends stays on this machine
	ID    string       // for the log
	Log   *slog.Logger // with protocol, connection id and the client's address
}

// Config is what a Server is made of. Protocol and Open are required.
type Config struct {
	Protocol string             // for the log: "imap"
	Open     func(Conn) Session // makes a session; it must not wait for anything
	Busy     string             // the line a refused client is told, with its CRLF; not said with implicit TLS

	TLS                *tls.Config   // of listeners with implicit TLS
	MaxConnections     int           // at once; 0: no limit
	MaxPerAddress      int           // at once from one client address, see address; 0: no limit
	MaxRate            int           // new ones a minute from one client address, so many at once too; 0: no limit
	ProxyHeaderTimeout time.Duration // for a PROXY header to come in; 0: 10 s

	Log         *slog.Logger     // nil: slog.Default
	Connections prometheus.Gauge // open sessions; nil: not counted
	NewID       func() string    // connection ids; nil: RandomID
}

func (cfg Config) withDefaults() Config {
	if cfg.ProxyHeaderTimeout <= 0 {
		cfg.ProxyHeaderTimeout = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Connections == nil {
		cfg.Connections = prometheus.NewGauge(prometheus.GaugeOpts{})
	}
	if cfg.NewID == nil {
		cfg.NewID = RandomID
	}
	return cfg
}

// RandomID returns an id of 96 random bits in hexadecimal digits, unique in an installation.
func RandomID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
