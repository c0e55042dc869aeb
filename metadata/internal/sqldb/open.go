package sqldb

import (
	"context"
	"errors"
	"log/slog"
	"strings"
)

// Config says which database to open.
type Config struct {
	URL      string // sqlite:PATH, postgresql://..., cockroachdb://...
	MaxConns int    // 0: the engine's default
	Log      *slog.Logger
}

// ErrURL is returned for a URL of no known engine. The URL itself is not in the text: it may hold a password.
var ErrURL = errors.New("metadata URL must begin with sqlite:, postgresql:// or cockroachdb://")

// Open opens the database of a URL. PostgreSQL and CockroachDB are not contacted yet.
func Open(ctx context.Context, cfg Config) (DB, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	scheme, rest, _ := strings.Cut(cfg.URL, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"), cfg)
	case "postgresql", "postgres":
		return openPostgres(ctx, cfg)
	case "cockroachdb", "cockroach":
		cfg.URL = "postgresql:" + rest
		return openCockroach(ctx, cfg)
	}
	return nil, ErrURL
}
