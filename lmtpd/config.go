package lmtpd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailstore"
)

// Store is what lmtpd needs of a *mailstore.Store.
type Store interface {
	Stage(ctx context.Context, r io.Reader, maxSize int64) (*mailstore.Staged, error)
	Deliver(ctx context.Context, st *mailstore.Staged, rcpts []mailstore.Recipient) []mailstore.Delivered
}

var _ Store = (*mailstore.Store)(nil)

// Deliverer carries a message to its recipients, ends st, and answers for each by index. A *delivery.Deliverer runs their
// scripts before.
type Deliverer interface {
	Deliver(ctx context.Context, st *mailstore.Staged, env delivery.Envelope, rcpts []delivery.Recipient) []mailstore.Delivered
}

var _ Deliverer = (*delivery.Deliverer)(nil)

// Config is what a Server is made of. Store and Directory are required; they stay the caller's to close, after Shutdown.
type Config struct {
	Store     Store
	Directory directory.Directory
	Deliverer Deliverer // nil: the Store delivers, no scripts run

	TLS      *tls.Config // for STARTTLS; nil: not offered. GetCertificate or GetConfigForClient may change certificates.
	Hostname string      // in the greeting and in Received; "": the machine's

	TrustedNetworks []netip.Prefix // who may use XCLIENT and XFORWARD; unix sockets are 127.0.0.1

	MaxMessageBytes          int64 // largest message; 0: 100 MiB
	MaxRecipients            int   // of one transaction; 0: 1,000
	MaxConnections           int   // at once; more are answered 421; 0: 1,000
	MaxConnectionsPerAddress int   // at once from one address; 0: no limit
	MaxConnectionRate        int   // new ones a minute from one address; 0: no limit
	MaxMessageRate           int   // messages a minute from one address, loopback excepted; 0: no limit
	MaxTrustedMessageRate    int   // the same of a client in TrustedNetworks, loopback among them; 0: no limit
	OverQuotaPermanent       bool  // 552 5.2.2 instead of 452 4.2.2

	CommandTimeout time.Duration // for a whole command line, from the last reply; 0: 5 min
	DataTimeout    time.Duration // between two pieces of a message; 0: 3 min
	MessageTimeout time.Duration // for a whole message; 0: 1 h
	WriteTimeout   time.Duration // for a reply to leave; 0: 1 min
	ResolveTimeout time.Duration // for the directory; 0: 30 s
	DeliverTimeout time.Duration // from the message's end to its answers; 0: 5 min (RFC 5321 section 4.5.3.2.6: clients wait 10)

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // for Received; nil: time.Now
	NewID   func() string         // trace ids, in replies, Received and the log; nil: random
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Store == nil || cfg.Directory == nil {
		return cfg, errors.New("lmtpd: a store and a directory are needed")
	}
	if cfg.Hostname == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		cfg.Hostname = name
	}
	if cfg.MaxMessageBytes <= 0 {
		cfg.MaxMessageBytes = 100 << 20
	}
	if cfg.MaxRecipients <= 0 {
		cfg.MaxRecipients = 1000
	}
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = 1000
	}
	orElse(&cfg.CommandTimeout, 5*time.Minute)
	orElse(&cfg.DataTimeout, 3*time.Minute)
	orElse(&cfg.MessageTimeout, time.Hour)
	orElse(&cfg.WriteTimeout, time.Minute)
	orElse(&cfg.ResolveTimeout, 30*time.Second)
	orElse(&cfg.DeliverTimeout, 5*time.Minute)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = randomID
	}
	return cfg, nil
}

func orElse(d *time.Duration, fallback time.Duration) {
	if *d <= 0 {
		*d = fallback
	}
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
