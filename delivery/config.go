package delivery

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/sieve"
)

// Store is what is needed of a *mailstore.Store.
type Store interface {
	Stage(ctx context.Context, r io.Reader, maxSize int64) (*mailstore.Staged, error)
	Deliver(ctx context.Context, st *mailstore.Staged, rcpts []mailstore.Recipient) []mailstore.Delivered
	User(account metadata.AccountID) *mailstore.User
	InlineOutbound(raw []byte) (metadata.OutboundBody, error)
	Stored(ctx context.Context, account metadata.AccountID, mailbox metadata.MailboxID, uids []metadata.UID) ([]mailstore.Message, error)
	StoreFlags(ctx context.Context, req metadata.StoreFlags) (*metadata.StoreResult, error)
}

var _ Store = (*mailstore.Store)(nil)

// Queue takes what scripts send. An *outbound.Queue is one.
type Queue interface {
	Enqueue(ctx context.Context, items []metadata.Enqueue) (queued []bool, err error)
	// Sends reports whether there is a server to send to: without one, redirects and the like are the script's error.
	Sends() bool
}

// Config is what a Deliverer is made of. Store, Metadata and Queue are required.
type Config struct {
	Store    Store
	Metadata metadata.Store
	Queue    Queue

	Hostname  string // in messages made here
	Version   string // of the environment test
	Delimiter string // between user and detail at IMAP events; "": there are no details

	Limits      sieve.Limits  // of every script
	AdminAge    time.Duration // how long what is known of the administrator's scripts is taken for true; 0: 5 s
	MaxReceived int           // Received fields from which on nothing is redirected; 0: 50
	Spam        Spam
	Verdicts    []Verdict // what virustest knows; nil: DefaultVerdicts
	Lists       []List    // of the administrator's
	Members     Members   // required for lists of addresses

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // nil: time.Now
}

func (c Config) withDefaults() (Config, error) {
	if c.Store == nil || c.Metadata == nil || c.Queue == nil {
		return c, errors.New("delivery: Store, Metadata and Queue are needed")
	}
	if c.Hostname == "" {
		c.Hostname = "localhost"
	}
	if c.AdminAge <= 0 {
		c.AdminAge = 5 * time.Second
	}
	if c.MaxReceived <= 0 {
		c.MaxReceived = 50
	}
	c.Spam = c.Spam.withDefaults()
	if c.Verdicts == nil {
		c.Verdicts = DefaultVerdicts
	}
	for _, l := range c.Lists {
		if name, ok := sieve.CanonicalList(l.Name); !ok || name != l.Name || (l.File == "") == (l.Address == "") || l.Address != "" && c.Members == nil {
			return c, errors.New("delivery: the list " + l.Name + " has no canonical name, or not one source")
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// Deliverer runs scripts and delivers.
type Deliverer struct {
	cfg     Config
	scripts *scripts
	lists   map[string]*publicList
	told    told
	running *semaphore.Weighted // runningBytes
	metrics *metrics
}

// New returns a Deliverer.
func New(cfg Config) (*Deliverer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Deliverer{cfg: cfg, running: semaphore.NewWeighted(runningBytes), scripts: newScripts(cfg), lists: newLists(&cfg)}
	if sc := d.scripts.standard; sc != nil && sc.err != nil {
		return nil, sc.err
	}
	if d.metrics, err = newMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	return d, nil
}
