package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/blobstore/s3store"
	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
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

// openBlobs opens the object store with its decorators. From the inside: the store, a counter of its operations, retries.
func openBlobs(ctx context.Context, cfg *config.Config, log *slog.Logger, metrics prometheus.Registerer) (blobstore.Store, error) {
	if path, ok := strings.CutPrefix(cfg.Blobs, "file:"); ok {
		s, err := filestore.Open(path)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := s3store.Open(ctx, s3store.Options{URL: cfg.Blobs})
	if err != nil {
		return nil, err
	}
	_ = log
	return blobstore.Retry(s, blobstore.RetryOptions{}), nil
}

func openNotify(ctx context.Context, cfg *config.Config, log *slog.Logger) (notify.Notifier, error) {
	if cfg.Notify == "local:" {
		return notify.NewLocal(), nil
	}
	return nil, errors.New("soon")
}
