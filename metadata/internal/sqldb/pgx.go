package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"
)

const (
	defaultPoolConns = 16
	// commitGrace is how long a COMMIT may go on after its caller gave up.
	commitGrace = 5 * time.Second
	// idleInTransaction ends transactions of nodes that stopped without a word, so that their locks do not outlive them.
	idleInTransaction = "30s"
)

// openPool makes the pool that PostgreSQL and CockroachDB share.
// Every connection begins with settings, SET statements of the engine's own, if any.
func openPool(ctx context.Context, cfg Config, settings string) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	if cfg.MaxConns > 0 {
		pc.MaxConns = int32(cfg.MaxConns)
	} else if !strings.Contains(cfg.URL, "pool_max_conns") {
		pc.MaxConns = defaultPoolConns
	}
	if pc.ConnConfig.ConnectTimeout == 0 {
		pc.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	dialer := &net.Dialer{KeepAlive: 15 * time.Second, Timeout: pc.ConnConfig.ConnectTimeout}
	pc.ConnConfig.DialFunc = dialer.DialContext
	pc.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET idle_in_transaction_session_timeout = '"+idleInTransaction+"';"+settings, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	return pgxpool.NewWithConfig(ctx, pc)
}

// poolSchema is Schema for engines behind a pool. goose's lock is a row in a table: advisory locks lock nothing on CockroachDB.
func poolSchema(pool *pgxpool.Pool, table string) (*Schema, error) {
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableName(table+"_lock"),
		lock.WithTableLockTimeout(250*time.Millisecond, 1200))
	if err != nil {
		return nil, err
	}
	classify := func(err error) error { return classifyPg(err, false, false) }
	return &Schema{DB: stdlib.OpenDBFromPool(pool), Dialect: "postgres", Locker: locker, Classify: classify}, nil
}

// batcher is what runs batches: a connection or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// runBatch sends statements in one round trip, after prefix and before suffix, which have no results of interest.
func runBatch(ctx context.Context, c batcher, prefix string, stmts []*Stmt, suffix string) error {
	b := &pgx.Batch{}
	if prefix != "" {
		b.Queue(prefix)
	}
	for _, s := range stmts {
		b.Queue(s.SQL, s.Args...)
	}
	if suffix != "" {
		b.Queue(suffix)
	}
	res := c.SendBatch(ctx, b)
	err := readBatch(res, prefix, stmts, suffix)
	if cerr := res.Close(); err == nil {
		err = cerr
	}
	return err
}

func readBatch(res pgx.BatchResults, prefix string, stmts []*Stmt, suffix string) error {
	if prefix != "" {
		if _, err := res.Exec(); err != nil {
			return err
		}
	}
	for _, s := range stmts {
		if s.Each == nil {
			tag, err := res.Exec()
			if err != nil {
				return stmtError(s, err)
			}
			s.Affected = tag.RowsAffected()
			continue
		}
		rows, err := res.Query()
		if err != nil {
			return stmtError(s, err)
		}
		for rows.Next() {
			if err = s.Each(rows); err != nil {
				break
			}
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			return stmtError(s, err)
		}
	}
	if suffix != "" {
		if _, err := res.Exec(); err != nil {
			return err
		}
	}
	return nil
}

// stmtError says which statement failed; only for the log.
func stmtError(s *Stmt, err error) error {
	text := s.SQL
	if len(text) > 120 {
		text = text[:120] + "..."
	}
	return fmt.Errorf("%w (in %q)", err, text)
}

// classifyPg returns err as an Error; errors that are Errors already, or of the statement's own Each, stay what they are.
// closed says whether the connection is gone, committing whether COMMIT was sent.
func classifyPg(err error, closed, committing bool) error {
	if err == nil {
		return nil
	}
	var done *Error
	if errors.As(err, &done) {
		return err
	}
	lost := Lost
	if committing {
		lost = Ambiguous
	}
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe):
		return &Error{Class: classOfState(pe.Code, lost), Err: err}
	case pgconn.SafeToRetry(err):
		return &Error{Class: Lost, Err: err}
	case closed, isNetwork(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Class: lost, Err: err}
	}
	return err
}

func classOfState(code string, lost Class) Class {
	switch code {
	case "40001", "CR000", "40P01": // serialization failure; the same, said by old CockroachDB; deadlock
		return Conflict
	case "40003": // statement completion unknown
		return Ambiguous
	case "23505":
		return Unique
	case "42P01":
		return NoTable
	case "55P03", "57014", "25006": // lock not available, query canceled, read-only: this is a standby now
		return Lost
	}
	switch code[:min(2, len(code))] {
	case "08", "57": // connection exception, operator intervention: a COMMIT may have been carried out before it
		return lost
	case "53": // insufficient resources
		return Lost
	}
	if code == "25P03" { // idle in transaction for too long: rolled back
		return Lost
	}
	return Other
}

func isNetwork(err error) bool {
	var ce *pgconn.ConnectError
	var ne net.Error
	return errors.As(err, &ce) || errors.As(err, &ne)
}

// snapshotPool runs statements that read: one alone as it is, several between begin and COMMIT in one round trip.
func snapshotPool(ctx context.Context, pool *pgxpool.Pool, begin string, stmts []*Stmt) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return acquireError(err)
	}
	defer conn.Release() // a connection inside a transaction is closed, not kept
	commit := "commit"
	if len(stmts) == 1 {
		begin, commit = "", ""
	}
	err = runBatch(ctx, conn.Conn(), begin, stmts, commit)
	return classifyPg(err, conn.Conn().IsClosed(), false)
}

// execPool runs one statement as its own transaction.
func execPool(ctx context.Context, pool *pgxpool.Pool, stmt *Stmt) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return acquireError(err)
	}
	defer conn.Release()
	err = runBatch(ctx, conn.Conn(), "", []*Stmt{stmt}, "")
	return classifyPg(err, conn.Conn().IsClosed(), true)
}

// acquireError classifies what went wrong before a connection was had: always trouble to reach the database.
func acquireError(err error) error {
	return &Error{Class: Lost, Err: err}
}

// withGrace returns a context that ends commitGrace after ctx does.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(commitGrace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-graced.Done():
		}
	})
	return graced, func() { stop(); cancel() }
}
