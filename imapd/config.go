package imapd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// Store is what imapd needs of a *mailstore.Store.
type Store interface {
	User(account metadata.AccountID) *mailstore.User
	Stage(ctx context.Context, r io.Reader, maxSize int64) (*mailstore.Staged, error)
}

var _ Store = (*mailstore.Store)(nil)

// Config is what a Server is made of. Store and Directory are required; they stay the caller's to close, after Shutdown.
type Config struct {
	Store     Store
	Directory directory.Directory

	TLS            *tls.Config // for STARTTLS and for listeners with implicit TLS; nil: neither
	AllowPlaintext bool        // passwords in clear from anywhere; otherwise only from loopback and unix sockets
	Hostname       string      // in the greeting; "": the machine's

	Events Events // nil: nobody wants to know
	// SieveURL names the ManageSieve server whose scripts run at IMAP events (RFC 6785 section 2.1); "": none.
	SieveURL string

	LiteralMinus   bool     // LITERAL- instead of LITERAL+ (RFC 7888): what is sent without asking has up to 4096 bytes
	Administrators []string // addresses, in their one form, of accounts that may see and set the quota of others

	MaxMessageBytes          int64 // largest message APPEND takes; 0: 100 MiB
	MaxMessagesPerCommand    int   // MESSAGELIMIT (RFC 9738); 0: no limit
	MaxMessagesPerSave       int   // SAVELIMIT, without MESSAGELIMIT; 0: no limit
	MaxCommandBytes          int   // one command, its literals included but for APPEND's message; 0: 64 KiB
	TextBytes                int64 // ENVELOPE and BODYSTRUCTURE of messages kept in memory; 0: 64 MiB; negative: none
	MaxConnections           int   // at once; more are told BYE; 0: 20,000
	MaxConnectionsPerAccount int   // logged in at once, on this node; 0: no limit
	MaxConnectionsPerAddress int   // at once from one address; 0: no limit
	MaxConnectionRate        int   // new ones a minute from one address; 0: no limit
	// SubmitUsers are the addresses of accounts that message submission servers log in with: they may fetch URLs whose access
	// identifier is submit+user (RFC 4467).
	SubmitUsers []string

	MaxFailures    int // failed logins of a connection; 0: 5
	MaxBadCommands int // one after another, before BYE; 0: 20

	LoginTimeout     time.Duration // for a command before login; five times as long for the login as a whole; 0: 60 s
	IdleTimeout      time.Duration // for a command after login; not during IDLE; 0: 30 min (RFC 9051 section 5.4: at least)
	StreamTimeout    time.Duration // between two pieces of a message in APPEND; 0: 5 min
	WriteTimeout     time.Duration // for a piece of a response to leave; 0: 2 min
	FailureDelay     time.Duration // before a failed login is answered; 0: 2 s
	ProgressInterval time.Duration // between two notes of how far a long command is; 0: 10 s
	KeepAlive        time.Duration // between untagged OKs during IDLE; 0: 2 min

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // for messages appended without a date; nil: time.Now
	NewID   func() string         // connection ids in the log; nil: random
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Store == nil || cfg.Directory == nil {
		return cfg, errors.New("imapd: a store and a directory are needed")
	}
	if cfg.Hostname == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		cfg.Hostname = name
	}
	orElse(&cfg.MaxMessageBytes, 100<<20)
	if cfg.TextBytes == 0 {
		cfg.TextBytes = 64 << 20
	}
	orElse(&cfg.MaxCommandBytes, 64<<10)
	orElse(&cfg.MaxConnections, 20_000)
	orElse(&cfg.MaxFailures, 5)
	orElse(&cfg.MaxBadCommands, 20)
	orElse(&cfg.LoginTimeout, time.Minute)
	orElse(&cfg.IdleTimeout, 30*time.Minute)
	orElse(&cfg.StreamTimeout, 5*time.Minute)
	orElse(&cfg.WriteTimeout, 2*time.Minute)
	orElse(&cfg.FailureDelay, 2*time.Second)
	orElse(&cfg.ProgressInterval, 10*time.Second)
	orElse(&cfg.KeepAlive, 2*time.Minute)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg, nil
}

func orElse[T int | int64 | time.Duration](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}
