package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// migrations are numbered files, one DDL statement each that may run twice: CockroachDB commits at every DDL statement, so
// a file that failed in its middle could not be repeated.
//
//go:embed migrations/*.sql
var migrations embed.FS

// loadMigrations returns the migrations in an engine's words, in their order.
func loadMigrations(w *sqldb.Words) ([]*goose.Migration, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var ms []*goose.Migration
	for _, name := range files {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		ddl := fill(string(text), 0, 0, w)
		ms = append(ms, goose.NewGoMigration(version, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
			if _, err := db.ExecContext(ctx, ddl); err != nil {
				return fmt.Errorf("%s: %w", strings.TrimPrefix(name, "migrations/"), err)
			}
			return nil
		}}, nil))
	}
	return ms, nil
}

// Migrate implements metadata.Store.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "metadata.Migrate"
	ms, err := loadMigrations(&s.words)
	if err != nil {
		return internal(op, err)
	}
	schema, err := s.db.Schema(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer schema.DB.Close() //nolint:errcheck // nothing is left to be written
	p, err := goose.NewProvider(schema.Dialect, schema.DB, nil, goose.WithTableName(sqldb.SchemaTable),
		goose.WithGoMigrations(ms...), goose.WithDisableGlobalRegistry(true), goose.WithLocker(schema.Locker),
		goose.WithSlog(s.log))
	if err != nil {
		return internal(op, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return s.fail(op, schema.Classify(err))
	}
	return nil
}

// SchemaVersion implements metadata.Store.
func (s *Store) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	const op = "metadata.SchemaVersion"
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, 0, internal(op, err)
	}
	if want, err = goose.NumericComponent(files[len(files)-1]); err != nil {
		return 0, 0, internal(op, err)
	}
	err = s.read(ctx, op, func() []*sqldb.Stmt {
		st := sqlSchemaVersion.stmt(&s.words, 0)
		st.Each = func(r sqldb.Row) error { return r.Scan(&have) }
		return []*sqldb.Stmt{st}
	})
	if sqldb.Is(err, sqldb.NoTable) {
		return 0, want, nil
	}
	return have, want, err
}

var sqlSchemaVersion = newText("schema version", `SELECT COALESCE(MAX(version_id), 0) FROM `+sqldb.SchemaTable)
