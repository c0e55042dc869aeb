package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"
)

// SchemaTable is the table that records which migrations have run; its lock table has "_lock" after the name.
const SchemaTable = "schema_version"

// sqliteLocker keeps migrations of several processes apart: a row with a lease, as goose's own locker does on PostgreSQL.
type sqliteLocker struct{ holder string }

// sqliteLockLease is longer than any migration of an embedded database takes; a process that died frees the lock by it.
const sqliteLockLease = 10 * time.Minute

func newSQLiteLocker() *sqliteLocker { return &sqliteLocker{holder: rand.Text()} }

// Lock waits until no other process migrates.
func (l *sqliteLocker) Lock(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+SchemaTable+"_lock (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, expires INTEGER NOT NULL)")
	if err != nil {
		return fmt.Errorf("make lock table: %w", err)
	}
	backoff := Backoff{First: 10 * time.Millisecond, Max: 500 * time.Millisecond}
	for {
		res, err := db.ExecContext(ctx, "INSERT INTO "+SchemaTable+"_lock (id, holder, expires) VALUES (1, ?1, unixepoch() + ?2) "+
			"ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires = excluded.expires WHERE expires <= unixepoch()",
			l.holder, int64(sqliteLockLease/time.Second))
		if err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
		if n == 1 {
			return nil
		}
		if err := backoff.Wait(ctx); err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
	}
}

// Unlock lets the next one migrate.
func (l *sqliteLocker) Unlock(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(context.WithoutCancel(ctx), "DELETE FROM "+SchemaTable+"_lock WHERE id = 1 AND holder = ?1", l.holder)
	return err
}
