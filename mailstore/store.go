package mailstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// Config is what a Store is made of. Metadata, Blobs and Notify stay the caller's to close, after Store.Close.
type Config struct {
	Metadata metadata.Store
	Blobs    blobstore.Store // decorated: retry, disk cache
	Notify   notify.Notifier
	Log      *slog.Logger          // nil: slog.Default
	Now      func() time.Time      // nil: time.Now
	Metrics  prometheus.Registerer // nil: none

	Lanes         int           // commits that may run at once, never two for one account; 0: 4
	CacheBytes    int64         // decompressed frames in memory; 0: 64 MiB
	ViewBytes     int64         // budget for message rows of views; 0: 64 MiB. Beyond it the least recently used are read again
	StageBytes    int64         // budget for small messages being received or waiting for their lane; 0: 64 MiB
	PollHealthy   time.Duration // how often watched mailboxes are compared while hints flow; 0: 10 s
	PollUnhealthy time.Duration // the same while they do not; 0: 2 s
	MaxMailboxes  int           // of one account; 0: 10,000

	QuotaGrace    int64         // percent of an account's limits by which a delivery may exceed them
	QuotaWarnings []int64       // percents of an account's limits at which its user is told by a message, ascending
	QuotaInterval time.Duration // how often limits of domains are looked at; 0: 10 s

	Contact string // a URI by which users reach the administrator; "": none. See AdminEntry
}

func (c *Config) setDefaults() {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Lanes <= 0 {
		c.Lanes = 4
	}
	if c.CacheBytes <= 0 {
		c.CacheBytes = 64 << 20
	}
	if c.ViewBytes <= 0 {
		c.ViewBytes = 64 << 20
	}
	if c.StageBytes <= 0 {
		c.StageBytes = 64 << 20
	}
	if c.PollHealthy <= 0 {
		c.PollHealthy = 10 * time.Second
	}
	if c.PollUnhealthy <= 0 {
		c.PollUnhealthy = 2 * time.Second
	}
	if c.MaxMailboxes <= 0 {
		c.MaxMailboxes = 10_000
	}
	if c.QuotaInterval <= 0 {
		c.QuotaInterval = 10 * time.Second
	}
}

// Store is a node's mail store.
type Store struct {
	cfg     Config
	meta    metadata.Store
	blobs   blobstore.Store
	log     *slog.Logger
	metrics *metrics
	reader  *blobstore.Reader

	ctx    context.Context // ends when the Store must give up what it is doing
	cancel context.CancelFunc

	memory    *stageMemory
	uploads   *semaphore.Weighted // streamed packs at once
	receivers *receivers
	inboxes   *inboxCache
	lanes     *lanes
	views     *views
	watcher   *watcher
	watches   *watches
	full      fullDomains

	mu      sync.Mutex
	closed  bool // guarded by mu: no new goroutine may start
	running sync.WaitGroup
}

// New starts a Store: its lanes and its watcher.
func New(cfg Config) (*Store, error) {
	if cfg.Metadata == nil || cfg.Blobs == nil || cfg.Notify == nil {
		return nil, errors.New("mailstore: Config needs Metadata, Blobs and Notify")
	}
	cfg.setDefaults()
	s := &Store{
		cfg:       cfg,
		meta:      cfg.Metadata,
		blobs:     cfg.Blobs,
		log:       cfg.Log,
		metrics:   newMetrics(),
		reader:    blobstore.NewReader(cfg.Blobs, blobstore.ReaderOptions{CacheBytes: cfg.CacheBytes}),
		memory:    newStageMemory(cfg.StageBytes),
		uploads:   semaphore.NewWeighted(maxUploads),
		receivers: newReceivers(),
		inboxes:   newInboxCache(),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.views = newViews(s, cfg.ViewBytes)
	s.watcher = newWatcher(s)
	s.watches = newWatches(s)
	s.lanes = newLanes(s)
	if cfg.Metrics != nil {
		if err := s.metrics.register(cfg.Metrics, s); err != nil {
			s.cancel()
			return nil, err
		}
	}
	s.lanes.start()
	s.watcher.start()
	s.spawn(s.watchDomains)
	return s, nil
}

// Close commits what lanes have in hand, refuses what comes later with Unavailable, and stops. ctx bounds the wait.
func (s *Store) Close(ctx context.Context) error {
	err := s.lanes.close(ctx)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	stopped := make(chan struct{})
	go func() { s.running.Wait(); close(stopped) }()
	select {
	case <-stopped:
	case <-ctx.Done():
		// Everything that still runs has a context that ended. Give it the moment that noticing takes.
		select {
		case <-stopped:
		case <-time.After(time.Second):
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}

// spawn runs fn in a goroutine that Close waits for. It returns false, and runs nothing, once the Store is closed.
func (s *Store) spawn(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Go(fn)
	return true
}

// Ping proves that metadata and blobs answer, for readiness.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.meta.Ping(ctx); err != nil {
		return err
	}
	return s.blobs.Ping(ctx)
}

// User returns the account's mailboxes. No look-up is made.
func (s *Store) User(account metadata.AccountID) *User { return &User{store: s, account: account} }

// Metadata returns the store's metadata, for speakers that need leases.
func (s *Store) Metadata() metadata.Store { return s.meta }

// now is the time as the database keeps it: UTC, to the microsecond.
func (s *Store) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

func errClosed(op string) error {
	return mailerr.New(op, mailerr.Unavailable, "this node is shutting down")
}
