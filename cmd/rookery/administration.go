package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
)

// withMetadata runs f with the metadata of the configured installation. It may run beside servers.
func withMetadata(cmd *cobra.Command, f func(ctx context.Context, meta metadata.Store) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	log := newLog(os.Stderr, config.Log{Level: "warn"})
	meta, err := openMetadata(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	defer closeLogged(log, "metadata", meta)
	if err := prepareSchema(cmd.Context(), cfg, meta, log); err != nil {
		return err
	}
	return f(cmd.Context(), meta)
}

// withDirectory runs f with the directory of the configured installation.
func withDirectory(cmd *cobra.Command, f func(ctx context.Context, d *directory.Local) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	return withMetadata(cmd, func(ctx context.Context, meta metadata.Store) error {
		d, err := newDirectory(cfg, meta, newLog(os.Stderr, config.Log{Level: "warn"}))
		if err != nil {
			return err
		}
		return f(ctx, d)
	})
}

func newDirectory(cfg *config.Config, meta metadata.Store, log *slog.Logger) (*directory.Local, error) {
	return directory.New(directory.Options{Metadata: meta, DefaultDomain: cfg.DefaultDomain, Delimiter: cfg.Delimiter,
		DetailMailbox: cfg.DetailMailbox, Log: log})
}

// prepareSchema brings SQLite's schema up to date. A database that nodes share is changed by "rookery migrate" alone: an
// older schema is refused, a newer one works (migrations are safe beside the previous version).
func prepareSchema(ctx context.Context, cfg *config.Config, meta metadata.Store, log *slog.Logger) error {
	have, want, err := meta.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	switch {
	case have > want:
		log.WarnContext(ctx, "the database's schema is newer than this binary", "have", have, "want", want)
	case have < want && cfg.SQLite():
		return meta.Migrate(ctx)
	case have == 0 && want > 0:
		return fmt.Errorf("the database is empty; run `rookery migrate` with this configuration first")
	case have < want:
		return fmt.Errorf("the database has schema version %d and this binary needs %d; run `rookery migrate` with this configuration first", have, want)
	}
	return nil
}

func newMigrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database's schema to this binary's version",
		Long: "Brings the database's schema to this binary's version. It is safe beside running nodes of the previous version and\n" +
			"beside another migrate. With SQLite the server does this at its start.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			ctx, log := cmd.Context(), newLog(os.Stderr, config.Log{Level: "warn"})
			meta, err := openMetadata(ctx, cfg, log)
			if err != nil {
				return err
			}
			defer closeLogged(log, "metadata", meta)
			before, _, err := meta.SchemaVersion(ctx)
			if err != nil {
				return err
			}
			if err := meta.Migrate(ctx); err != nil {
				return err
			}
			after, _, err := meta.SchemaVersion(ctx)
			if err != nil {
				return err
			}
			if before == after {
				fmt.Fprintf(cmd.OutOrStdout(), "The schema is at version %d already.\n", after)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "The schema went from version %d to %d.\n", before, after)
			}
			return nil
		},
	}
}
