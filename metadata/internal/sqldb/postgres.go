package sqldb

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgres is PostgreSQL: READ COMMITTED with explicit row locks. SERIALIZABLE fails there where it could wait.
type postgres struct{ pool *pgxpool.Pool }

var _ DB = (*postgres)(nil)

var postgresWords = Words{
	Engine:     "postgresql",
	ForUpdate:  "FOR UPDATE",
	Now:        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS INT8)",
	Blob:       "BYTEA",
	Text:       `TEXT COLLATE "C"`,
	HotRow:     "WITH (fillfactor = 50)",
	MaxParams:  65535,
	MaxChanges: 100000, // bounds how long others wait for the locks
}

const (
	pgBegin         = "begin isolation level read committed read write"
	pgBeginSnapshot = "begin isolation level repeatable read read only"
)

// pgSettings: every statement that is run often finds its rows by an index. A plan made while a table was small would read all
// of it, and is kept until the table's statistics are taken again. Without a just-in-time compiler: none of them runs long, and
// it would take the few statements that do read all of a table for very long ones.
const pgSettings = "SET enable_seqscan = off; SET jit = off"

func openPostgres(ctx context.Context, cfg Config) (DB, error) {
	pool, err := openPool(ctx, cfg, pgSettings)
	if err != nil {
		return nil, err
	}
	return &postgres{pool: pool}, nil
}

func (p *postgres) Words() Words { return postgresWords }

func (p *postgres) Close() error {
	p.pool.Close()
	return nil
}

func (p *postgres) Schema(context.Context) (*Schema, error) { return poolSchema(p.pool, SchemaTable) }

func (p *postgres) Snapshot(ctx context.Context, stmts ...*Stmt) error {
	return snapshotPool(ctx, p.pool, pgBeginSnapshot, stmts)
}

func (p *postgres) Exec(ctx context.Context, stmt *Stmt) error { return execPool(ctx, p.pool, stmt) }

// Write sends BEGIN together with the first statements, so that a transaction of two runs costs three round trips.
func (p *postgres) Write(ctx context.Context, fn func(Tx) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return acquireError(err)
	}
	tx := &pgTx{conn: conn, begin: pgBegin}
	defer tx.end()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.commit(ctx)
}

// pgTx is a PostgreSQL transaction.
type pgTx struct {
	conn  *pgxpool.Conn
	begin string // not sent yet
}

func (tx *pgTx) Run(ctx context.Context, stmts ...*Stmt) error {
	if len(stmts) == 0 {
		return nil
	}
	begin := tx.begin
	tx.begin = ""
	err := runBatch(ctx, tx.conn.Conn(), begin, stmts, "")
	return classifyPg(err, tx.conn.Conn().IsClosed(), false)
}

func (tx *pgTx) commit(ctx context.Context) error {
	if tx.begin != "" {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return &Error{Class: Lost, Err: err}
	}
	ctx, cancel := withGrace(ctx)
	defer cancel()
	tag, err := tx.conn.Exec(ctx, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		err = &pgconn.PgError{Severity: "ERROR", Code: "25P02", Message: "COMMIT of a failed transaction"}
	}
	return classifyPg(err, tx.conn.Conn().IsClosed(), true)
}

// end rolls back what was not committed and gives the connection back.
func (tx *pgTx) end() {
	c := tx.conn.Conn()
	if !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), commitGrace)
		_, _ = c.Exec(ctx, "rollback") // a connection that fails here is closed by Release
		cancel()
	}
	tx.conn.Release()
}
