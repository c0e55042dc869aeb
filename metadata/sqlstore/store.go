package sqlstore

import (
	"context"
	"log/slog"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// Options are what a Store is made of.
type Options struct {
	URL      string           // sqlite:PATH, postgresql://..., cockroachdb://...
	Log      *slog.Logger     // nil: slog.Default
	MaxConns int              // connections at once; 0: 16, SQLite: 4 readers and one writer
	Now      func() time.Time // for UIDVALIDITY and dates of rows; nil: time.Now

	// MaxChanges is how many message rows a transaction changes before StoreFlags, Expunge and the deletion of a mailbox go
	// on in another one; 0: what suits the engine.
	MaxChanges int
	// Patience is how long a change goes on while one of its tries may have happened; 0: 10 s.
	Patience time.Duration
	// Wrap puts something between the store and its database, such as faults (package metadatafault); nil: nothing.
	Wrap func(sqldb.DB) sqldb.DB
}

// Store is a metadata.Store in a database. All methods may be called concurrently.
type Store struct {
	db         sqldb.DB
	words      sqldb.Words
	log        *slog.Logger
	now        func() time.Time
	maxChanges int
	patience   time.Duration
}

var _ metadata.Store = (*Store)(nil)

// Open opens a database. It makes the file of an SQLite database; the other engines are contacted when first needed. The
// schema is there after Migrate.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "metadata.Open"
	s := &Store{log: o.Log, now: o.Now, maxChanges: o.MaxChanges, patience: o.Patience}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	db, err := sqldb.Open(ctx, sqldb.Config{URL: o.URL, MaxConns: o.MaxConns, Log: s.log})
	if err != nil {
		return nil, s.fail(op, err)
	}
	if o.Wrap != nil {
		db = o.Wrap(db)
	}
	s.db, s.words = db, db.Words()
	if s.patience <= 0 {
		s.patience = doubtPatience
	}
	if s.maxChanges <= 0 {
		s.maxChanges = s.words.MaxChanges
	}
	return s, nil
}

// Ping implements metadata.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "metadata.Ping", func() []*sqldb.Stmt {
		st := sqlPing.stmt(&s.words, 0)
		st.Each = func(r sqldb.Row) error {
			var one int64
			return r.Scan(&one)
		}
		return []*sqldb.Stmt{st}
	})
}

var sqlPing = newText("ping", `SELECT CAST(1 AS INT8)`)

// Close implements metadata.Store. It waits for transactions under way.
func (s *Store) Close() error { return s.fail("metadata.Close", s.db.Close()) }
