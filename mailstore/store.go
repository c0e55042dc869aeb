package mailstore

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/blobstore"
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

	Lanes         int           // group commit lanes; 0: 4
	CacheBytes    int64         // decompressed frames in memory; 0: 64 MiB
	ViewBytes     int64         // budget for views nobody has open; 0: 64 MiB
	PollHealthy   time.Duration // how often watched mailboxes are compared while hints flow; 0: 10 s
	PollUnhealthy time.Duration // the same while they do not; 0: 2 s
	MaxMailboxes  int           // of one account; 0: 10,000
}

// Store is a node's mail store.
type Store struct{}

// New starts a Store: its lanes and its watcher.
func New(cfg Config) (*Store, error) { panic("stub") }

// Close commits what lanes have in hand, refuses what comes later with Unavailable, and stops. ctx bounds the wait.
func (s *Store) Close(ctx context.Context) error { panic("stub") }

// Ping proves that metadata and blobs answer, for readiness.
func (s *Store) Ping(ctx context.Context) error { panic("stub") }

// User returns the account's mailboxes. No look-up is made.
func (s *Store) User(account metadata.AccountID) *User { panic("stub") }

// Metadata returns the store's metadata, for speakers that need leases.
func (s *Store) Metadata() metadata.Store { panic("stub") }
