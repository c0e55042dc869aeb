package sqldb

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

// DB is a database of any engine. All methods may be called concurrently.
type DB interface {
	// Write runs fn in one read-write transaction and commits it. fn may be called again from its start after a conflict,
	// so it has no effects outside but those it begins anew. ctx bounds the wait; a COMMIT under way is given a few seconds
	// more, so that a caller that gives up seldom leaves an ambiguous transaction behind.
	Write(ctx context.Context, fn func(Tx) error) error
	// Snapshot runs statements that only read, in order, from one snapshot.
	Snapshot(ctx context.Context, stmts ...*Stmt) error
	// Exec runs one statement as its own transaction. An error may be Ambiguous: for statements that may be repeated.
	Exec(ctx context.Context, stmt *Stmt) error

	// Words returns what this engine says in its own way.
	Words() Words
	// Schema opens what migrations need. The caller closes Schema.DB.
	Schema(ctx context.Context) (*Schema, error)
	Close() error
}

// Tx is a transaction under way, for one goroutine.
type Tx interface {
	// Run runs statements in order. After an error the transaction can only end.
	Run(ctx context.Context, stmts ...*Stmt) error
}

// Stmt is a statement to run.
type Stmt struct {
	SQL  string
	Args []any
	// Each is called for every row, in order; nil: rows are not wanted. It must not run other statements. Of a SELECT with
	// Words.Many the order is the engine's affair.
	Each func(Row) error
	// Affected is the number of rows inserted, updated or deleted, set by Run when Each is nil.
	Affected int64
}

// Row is the present row of a result.
type Row interface {
	Scan(dest ...any) error
}

// Words are an engine's own words.
type Words struct {
	Engine     string // "postgresql", "cockroachdb", "sqlite"
	ForUpdate  string // row lock at the end of a SELECT; "" where a write transaction is alone
	Now        string // expression: the database's present time in microseconds since 1970
	Blob       string // type of a byte string
	Text       string // type of a text column that compares and sorts by bytes
	Clustered  string // after CREATE TABLE (...): narrow rows kept in primary key order
	HotRow     string // after CREATE TABLE (...): rows that are updated in place very often
	MaxParams  int    // parameters one statement may have
	MaxChanges int    // rows one transaction should change at most
	Many       string // function round the columns of a SELECT of many rows, which takes them to Stmt.Each; "" where none is needed
}

// Schema is how migrations reach a database.
type Schema struct {
	DB      *sql.DB
	Dialect database.Dialect
	Locker  lock.Locker
	// Classify returns an error of DB as an Error where it is one of the database.
	Classify func(error) error
}
