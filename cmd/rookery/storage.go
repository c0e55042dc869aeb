package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/blobstore/s3store"
	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
	"github.com/rookery-mail/rookery/notify/redisnotify"
)

func openMetadata(ctx context.Context, cfg *config.Config, log *slog.Logger) (metadata.Store, error) {
	if path, ok := strings.CutPrefix(cfg.Metadata, "sqlite:"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	o := sqlstore.Options{URL: cfg.Metadata, Log: log}
	if !cfg.SQLite() {
		o.MaxConns = cfg.Limits.DatabaseConnections
	}
	s, err := sqlstore.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openBlobs opens the object store with its decorators. From the inside: the store, a count of its calls, retries, and for a
// remote store a cache on disk.
func openBlobs(ctx context.Context, cfg *config.Config, log *slog.Logger, metrics prometheus.Registerer) (blobstore.Store, error) {
	if path, ok := strings.CutPrefix(cfg.Blobs, "file:"); ok {
		s, err := filestore.Open(path)
		if err != nil {
			return nil, err
		}
		return blobstore.Count(s, "store", metrics), nil
	}
	// An outage makes many calls wait: one line every few seconds says so.
	often := rate.Sometimes{First: 1, Interval: 10 * time.Second}
	retry := blobstore.RetryOptions{OnRetry: func(err error) {
		often.Do(func() { log.Warn("object store calls are tried again", "error", err) })
	}}
	s, err := s3store.Open(ctx, s3store.Options{URL: cfg.Blobs, Retry: retry})
	if err != nil {
		return nil, err
	}
	retried := blobstore.Retry(blobstore.Count(s, "store", metrics), retry)
	if cfg.Cache.Disk == 0 {
		return retried, nil
	}
	cached, err := blobstore.NewDiskCache(retried, blobstore.DiskCacheOptions{Dir: filepath.Join(cfg.DataDir, "cache"), Bytes: cfg.Cache.Disk})
	if err == nil {
		err = countCache(cached, metrics)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return cached, nil
}

// countCache makes the disk cache's counts metrics.
func countCache(c *blobstore.DiskCache, metrics prometheus.Registerer) error {
	const prefix = "rookery_blobstore_disk_cache_"
	return errors.Join(
		metrics.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + "hits_total", Help: "Reads answered from the disk cache."},
			func() float64 { return float64(c.Stats().Hits) })),
		metrics.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + "misses_total", Help: "Reads the disk cache had to pass on."},
			func() float64 { return float64(c.Stats().Misses) })),
		metrics.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "bytes", Help: "Size of the disk cache."},
			func() float64 { return float64(c.Stats().Bytes) })),
	)
}

func openNotify(cfg *config.Config, log *slog.Logger, metrics prometheus.Registerer) (notify.Notifier, error) {
	if cfg.Notify == "local:" {
		return notify.NewLocal(), nil
	}
	n, err := redisnotify.Open(redisnotify.Options{URL: cfg.Notify, Log: log, Metrics: metrics})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// finishTimeout bounds how long a node's start waits for what an earlier node left.
const finishTimeout = 20 * time.Second

// finishDeletions ends deletions of mailboxes that a node which died had begun. What is not done here is done by the next
// node that starts: nobody sees any of it.
func finishDeletions(ctx context.Context, meta metadata.Store, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	switch n, err := meta.FinishDeletions(ctx); {
	case err != nil:
		log.Warn("deletions of mailboxes are left unfinished", "error", err)
	case n > 0:
		log.Info("finished deletions of mailboxes", "mailboxes", n)
	}
}
