package pop3d

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// Store is what pop3d needs of a *mailstore.Store.
type Store interface {
	User(account metadata.AccountID) *mailstore.User
	Metadata() metadata.Store // for leases
}

var _ Store = (*mailstore.Store)(nil)

// Config is what a Server is made of. Store and Directory are required; they stay the caller's to close, after Shutdown.
type Config struct {
	Store     Store
	Directory directory.Directory

	TLS            *tls.Config // for STLS and for listeners with implicit TLS; nil: neither
	AllowPlaintext bool        // passwords in clear from anywhere; otherwise only from loopback and unix sockets
	Hostname       string      // in the greeting; "": the machine's

	MaxConnections           int // at once; more are told -ERR [SYS/TEMP]; 0: 10,000
	MaxConnectionsPerAddress int // at once from one address; 0: no limit
	MaxConnectionRate        int // new ones a minute from one address; 0: no limit

	ReadAhead int64 // bytes of bodies read before they are asked for, of all sessions together; 0: 64 MiB

	LeaseTTL      time.Duration // how long a dead node's sessions keep their maildrops; 0: 60 s
	LoginTimeout  time.Duration // for a command before login; five times as long for the login as a whole; 0: 60 s
	IdleTimeout   time.Duration // the autologout timer, for a command after login; 0: 10 min (RFC 1939 section 3: at least)
	WriteTimeout  time.Duration // for a piece of a reply to leave; 0: 2 min
	StoreTimeout  time.Duration // for one look-up or one read of a body; 0: 1 min
	DeleteTimeout time.Duration // for the deletions of QUIT; 0: 5 min
	LoginDelay    time.Duration // between an account's logins, on all nodes (RFC 2449 section 6.5); 0: none
	FailureDelay  time.Duration // before a failed login is answered; 0: 2 s
	MaxFailures   int           // failed logins of a connection; 0: 3

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	NewID   func() string         // connection ids in the log, and lease holders: unique in the installation; nil: random
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Store == nil || cfg.Directory == nil {
		return cfg, errors.New("pop3d: a store and a directory are needed")
	}
	if cfg.Hostname == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		cfg.Hostname = name
	}
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = 10_000
	}
	if cfg.ReadAhead <= 0 {
		cfg.ReadAhead = 64 << 20
	}
	if cfg.MaxFailures <= 0 {
		cfg.MaxFailures = 3
	}
	orElse(&cfg.LeaseTTL, time.Minute)
	orElse(&cfg.LoginTimeout, time.Minute)
	orElse(&cfg.IdleTimeout, 10*time.Minute)
	orElse(&cfg.WriteTimeout, 2*time.Minute)
	orElse(&cfg.StoreTimeout, time.Minute)
	orElse(&cfg.DeleteTimeout, 5*time.Minute)
	orElse(&cfg.FailureDelay, 2*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return cfg, nil
}

func orElse(d *time.Duration, fallback time.Duration) {
	if *d <= 0 {
		*d = fallback
	}
}
