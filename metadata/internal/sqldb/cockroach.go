package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	crdbpgx "github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// cockroach is CockroachDB: SERIALIZABLE, retried by cockroach-go.
type cockroach struct{ pool *pgxpool.Pool }

var _ DB = (*cockroach)(nil)

var cockroachWords = Words{
	Engine:     "cockroachdb",
	ForUpdate:  "FOR UPDATE",
	Now:        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS INT8)",
	Blob:       "BYTEA",
	Text:       "TEXT", // compares by bytes
	MaxParams:  32000,
	MaxChanges: 10000, // keeps a transaction's locks and spans under 4 MB
}

func openCockroach(ctx context.Context, cfg Config) (DB, error) {
	pool, err := openPool(ctx, cfg, "")
	if err != nil {
		return nil, err
	}
	return &cockroach{pool: pool}, nil
}

func (c *cockroach) Words() Words { return cockroachWords }

func (c *cockroach) Close() error {
	c.pool.Close()
	return nil
}

func (c *cockroach) Schema(context.Context) (*Schema, error) { return poolSchema(c.pool, SchemaTable) }

func (c *cockroach) Exec(ctx context.Context, stmt *Stmt) error { return execPool(ctx, c.pool, stmt) }

func (c *cockroach) Snapshot(ctx context.Context, stmts ...*Stmt) error {
	if len(stmts) == 1 {
		return snapshotPool(ctx, c.pool, "", stmts)
	}
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return acquireError(err)
	}
	defer conn.Release()
	err = func() error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		if err := runBatch(ctx, tx, "", stmts, ""); err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx))
			return err
		}
		return tx.Commit(ctx)
	}()
	return classifyPg(err, conn.Conn().IsClosed(), false)
}

// restartPatience is how long a transaction is restarted inside.
const restartPatience = 30 * time.Second

// Write retries 40001 inside, as often as ctx allows, waiting a little longer each time.
func (c *cockroach) Write(ctx context.Context, fn func(Tx) error) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return acquireError(err)
	}
	defer conn.Release()
	var fnErr error
	backoff := Backoff{First: 2 * time.Millisecond, Max: 500 * time.Millisecond}
	attempts, start := 0, time.Now()
	graced, cancel := withGrace(ctx)
	defer cancel()
	err = crdbpgx.ExecuteTx(crdb.WithMaxRetries(graced, 0), conn, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		if attempts++; attempts > 1 {
			if time.Since(start) > restartPatience {
				// Not the 40001 itself: cockroach-go would go on.
				fnErr = &Error{Class: Conflict, Err: fmt.Errorf("given up after %d restarts: %v", attempts-1, fnErr)} //nolint:errorlint // on purpose
				return fnErr
			}
			if fnErr = backoff.Wait(ctx); fnErr != nil {
				fnErr = &Error{Class: Lost, Err: fnErr}
				return fnErr
			}
		}
		fnErr = fn(&cockroachTx{tx: tx, conn: conn.Conn()})
		if fnErr == nil {
			if err := ctx.Err(); err != nil {
				fnErr = &Error{Class: Lost, Err: err}
			}
		}
		return fnErr
	})
	if err == nil {
		return nil
	}
	var ambiguous *crdb.AmbiguousCommitError
	var restart *crdb.TxnRestartError
	switch {
	case errors.As(err, &ambiguous):
		// RELEASE failed. The server's own word that the transaction was refused is believed; anything else is not known.
		return classifyPg(ambiguous.Unwrap(), true, true)
	case errors.As(err, &restart):
		return &Error{Class: Lost, Err: err}
	case fnErr != nil:
		return fnErr
	}
	return classifyPg(err, conn.Conn().IsClosed(), false)
}

type cockroachTx struct {
	tx   pgx.Tx
	conn *pgx.Conn
}

func (tx *cockroachTx) Run(ctx context.Context, stmts ...*Stmt) error {
	if len(stmts) == 0 {
		return nil
	}
	return classifyPg(runBatch(ctx, tx.tx, "", stmts, ""), tx.conn.IsClosed(), false)
}
