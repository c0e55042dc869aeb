package managesieved

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// Config is what a Server is made of. Scripts and Directory are required; they stay the caller's to close, after Shutdown.
type Config struct {
	Scripts   metadata.SieveStore
	Directory directory.Directory

	Version string                // in IMPLEMENTATION; "": none
	Limits  metadata.ScriptLimits // of an account; 0: 100 scripts, 256 KiB for one, 2 MiB together
	Compile sieve.Options         // what scripts may require and cost, as for deliveries; Name is not used
	Lists   []string              // schemes of the URIs that name external lists, "urn" beside them (RFC 6134 section 2.8)

	TLS            *tls.Config // for STARTTLS and for listeners with implicit TLS; nil: neither
	AllowPlaintext bool        // passwords in clear from anywhere; otherwise only from loopback and unix sockets

	MaxConnections           int // at once; 0: 10,000
	MaxConnectionsPerAddress int // at once from one address; 0: no limit
	MaxConnectionRate        int // new ones a minute from one address; 0: no limit

	LoginTimeout time.Duration // for a command before login; five times as long for the login as a whole; 0: 60 s
	IdleTimeout  time.Duration // for a command after login; 0: 30 min
	WriteTimeout time.Duration // for a piece of a response to leave; 0: 2 min
	StoreTimeout time.Duration // for one look-up or change; 0: 1 min
	FailureDelay time.Duration // before a failed login is answered; 0: 2 s
	MaxFailures  int           // failed logins of a connection; 0: 3

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	NewID   func() string         // connection ids in the log; nil: random
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Scripts == nil || cfg.Directory == nil {
		return cfg, errors.New("managesieved: scripts and a directory are needed")
	}
	if !slices.Contains(cfg.Lists, "urn") {
		cfg.Lists = append([]string{"urn"}, cfg.Lists...)
	}
	orElse(&cfg.MaxConnections, 10_000)
	orElse(&cfg.MaxFailures, 3)
	orElse(&cfg.Limits.Scripts, 100)
	orElse(&cfg.Limits.ScriptBytes, 256<<10)
	orElse(&cfg.Limits.TotalBytes, 2<<20)
	orElse(&cfg.LoginTimeout, time.Minute)
	orElse(&cfg.IdleTimeout, 30*time.Minute)
	orElse(&cfg.WriteTimeout, 2*time.Minute)
	orElse(&cfg.StoreTimeout, time.Minute)
	orElse(&cfg.FailureDelay, 2*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return cfg, nil
}

func orElse[N int | int64 | time.Duration](n *N, fallback N) {
	if *n <= 0 {
		*n = fallback
	}
}
