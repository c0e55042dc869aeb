package main

import (
	"context"
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

// openBlobs opens the object store with its decorators.
func openBlobs(ctx context.Context, cfg *config.Config, log *slog.Logger, metrics prometheus.Registerer) (blobstore.Store, error) {
	if path, ok := strings.CutPrefix(cfg.Blobs, "file:"); ok {
		s, err := filestore.Open(path)
		if err != nil {
			return nil, err
		}
		return newMeasured(s, metrics)
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
	measured, err := newMeasured(s, metrics)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return blobstore.Retry(measured, retry), nil
}

func openNotify(cfg *config.Config, log *slog.Logger) (notify.Notifier, error) {
	if cfg.Notify == "local:" {
		return notify.NewLocal(), nil
	}
	n, err := redisnotify.Open(redisnotify.Options{URL: cfg.Notify, Log: log})
	if err != nil {
		return nil, err
	}
	return n, nil
}
