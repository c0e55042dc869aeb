package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// sqliteDB is SQLite in WAL mode: one connection writes, several read beside it. synchronous=FULL makes each transaction one
// fsync, and what is committed survives a power cut.
type sqliteDB struct {
	path    string
	writer  chan *sqliteConn // holds the one connection while nobody writes
	readers chan *sqliteConn
	handles []*sql.DB
	closed  chan struct{}
	once    sync.Once
}

var _ DB = (*sqliteDB)(nil)

var sqliteWords = Words{
	Engine:     "sqlite",
	Now:        "CAST(unixepoch('subsec') * 1000000 AS INT8)",
	Blob:       "BLOB",
	Text:       "TEXT",
	Clustered:  "WITHOUT ROWID",
	MaxParams:  32766,
	MaxChanges: 100000, // bounds how long others wait for the locks
	Many:       eachRow,
}

const (
	defaultSQLiteReaders = 4
	// busyTimeout is how long a writer waits for another process, such as `rookery account add` beside a server.
	busyTimeout = "10000" // milliseconds
)

// errSQLiteClosed is what comes after Close.
var errSQLiteClosed = errors.New("the database was closed")

func openSQLite(ctx context.Context, path string, cfg Config) (DB, error) {
	if path == "" || path == ":memory:" {
		return nil, errors.New("metadata URL sqlite: needs the path of a file")
	}
	// The file holds password hashes. SQLite gives its -wal and -shm files the same mode.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	readers := cfg.MaxConns
	if readers <= 0 {
		readers = defaultSQLiteReaders
	}
	db := &sqliteDB{
		path:    path,
		writer:  make(chan *sqliteConn, 1),
		readers: make(chan *sqliteConn, readers),
		closed:  make(chan struct{}),
	}
	w, err := db.connect(ctx, sqliteDSN(path, false))
	if err != nil {
		return nil, err
	}
	db.writer <- w
	for range readers {
		r, err := db.connect(ctx, sqliteDSN(path, true))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		db.readers <- r
	}
	return db, nil
}

// sqliteDSN writes the file name so that no character of it is taken for a parameter.
func sqliteDSN(path string, readOnly bool) string {
	q := url.Values{"_pragma": {
		"busy_timeout(" + busyTimeout + ")", "journal_mode(wal)", "synchronous(full)", "foreign_keys(on)",
		"temp_store(memory)", "cache_size(-16384)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)",
	}}
	if readOnly {
		q.Add("_pragma", "query_only(on)")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	if !filepath.IsAbs(path) {
		u = url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	}
	return u.String()
}

func (db *sqliteDB) connect(ctx context.Context, dsn string) (*sqliteConn, error) {
	h, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	h.SetMaxOpenConns(1)
	conn, err := firstConn(ctx, h)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", db.path, err), h.Close())
	}
	db.handles = append(db.handles, h)
	return &sqliteConn{conn: conn, stmts: map[string]*sql.Stmt{}, sink: newSQLiteSink()}, nil
}

// openPatience is how long a database is waited for that others open for the first time at the same moment: who makes it
// one with a log locks them out, and there busyTimeout does not count.
const openPatience = 10 * time.Second

func firstConn(ctx context.Context, h *sql.DB) (*sql.Conn, error) {
	backoff := Backoff{First: 5 * time.Millisecond, Max: 200 * time.Millisecond}
	for start := time.Now(); ; {
		conn, err := h.Conn(ctx)
		var e *sqlite.Error
		if !errors.As(err, &e) || e.Code()&0xff != sqlitelib.SQLITE_BUSY || time.Since(start) > openPatience {
			return conn, err
		}
		if backoff.Wait(ctx) != nil {
			return nil, err
		}
	}
}

func (db *sqliteDB) Words() Words { return sqliteWords }

// Close waits for transactions under way.
func (db *sqliteDB) Close() error {
	var errs []error
	db.once.Do(func() {
		close(db.closed)
		for range cap(db.writer) {
			if len(db.handles) > 0 {
				errs = append(errs, (<-db.writer).close())
			}
		}
		for range len(db.handles) - 1 {
			errs = append(errs, (<-db.readers).close())
		}
		// The writer's handle is first in handles and closed last: the last one to leave checkpoints the log.
		for i := len(db.handles) - 1; i >= 0; i-- {
			errs = append(errs, db.handles[i].Close())
		}
	})
	return errors.Join(errs...)
}

func (db *sqliteDB) take(ctx context.Context, from chan *sqliteConn) (*sqliteConn, error) {
	select {
	case <-db.closed:
		return nil, &Error{Class: Lost, Err: errSQLiteClosed}
	default:
	}
	select {
	case c := <-from:
		return c, nil
	case <-ctx.Done():
		return nil, &Error{Class: Lost, Err: ctx.Err()}
	case <-db.closed:
		return nil, &Error{Class: Lost, Err: errSQLiteClosed}
	}
}

func (db *sqliteDB) Write(ctx context.Context, fn func(Tx) error) error {
	c, err := db.take(ctx, db.writer)
	if err != nil {
		return err
	}
	defer func() { db.writer <- c }()
	return c.transaction(ctx, "BEGIN IMMEDIATE", fn)
}

func (db *sqliteDB) Snapshot(ctx context.Context, stmts ...*Stmt) error {
	c, err := db.take(ctx, db.readers)
	if err != nil {
		return err
	}
	defer func() { db.readers <- c }()
	if len(stmts) == 1 {
		return c.Run(ctx, stmts...)
	}
	return c.transaction(ctx, "BEGIN", func(tx Tx) error { return tx.Run(ctx, stmts...) })
}

func (db *sqliteDB) Exec(ctx context.Context, stmt *Stmt) error {
	return db.Write(ctx, func(tx Tx) error { return tx.Run(ctx, stmt) })
}

func (db *sqliteDB) Schema(context.Context) (*Schema, error) {
	h, err := sql.Open("sqlite", sqliteDSN(db.path, false))
	if err != nil {
		return nil, err
	}
	// goose keeps one connection while its lock and its migrations want another.
	h.SetMaxOpenConns(2)
	return &Schema{DB: h, Dialect: "sqlite3", Locker: newSQLiteLocker(), Classify: classifySQLite}, nil
}

// sqliteConn is one connection with its prepared statements, for one goroutine at a time.
type sqliteConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by the text above the border
	sink  *sqliteSink
}

// maxSQLiteStmts bounds the prepared statements of a connection; list sizes are rounded, so this is seldom reached.
const maxSQLiteStmts = 512

func (c *sqliteConn) close() error {
	c.sink.close()
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

func (c *sqliteConn) transaction(ctx context.Context, begin string, fn func(Tx) error) (err error) {
	done := context.WithoutCancel(ctx) // COMMIT and ROLLBACK are local: they are never left half done
	if err := c.Run(ctx, &Stmt{SQL: begin}); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// It fails only when SQLite has rolled back by itself.
			_ = c.Run(done, &Stmt{SQL: "ROLLBACK"})
		}
	}()
	if err := fn(c); err != nil {
		return err
	}
	if err := c.Run(done, &Stmt{SQL: "COMMIT"}); err != nil {
		var e *Error
		if errors.As(err, &e) && e.Class == Lost { // the disk failed: what it has written is not known
			e.Class = Ambiguous
		}
		return err
	}
	committed = true
	return nil
}

func (c *sqliteConn) Run(ctx context.Context, stmts ...*Stmt) error {
	for _, s := range stmts {
		if err := c.run(ctx, s); err != nil {
			return classifySQLite(stmtError(s, err))
		}
	}
	return nil
}

func (c *sqliteConn) run(ctx context.Context, s *Stmt) error {
	p, err := c.prepare(ctx, s.SQL) //nolint:sqlclosecheck // kept in c.stmts
	if err != nil {
		return err
	}
	if s.Each == nil {
		res, err := p.ExecContext(ctx, s.Args...)
		if err != nil {
			return err
		}
		s.Affected, err = res.RowsAffected()
		return err
	}
	if strings.HasPrefix(s.SQL, eachRowSelect) {
		return c.runMany(ctx, p, s)
	}
	rows, err := p.QueryContext(ctx, s.Args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is what counts
	for rows.Next() {
		if err := s.Each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// runMany runs a statement whose rows go to the connection's sink.
func (c *sqliteConn) runMany(ctx context.Context, p *sql.Stmt, s *Stmt) error {
	*c.sink = sqliteSink{number: c.sink.number, each: s.Each}
	defer func() { *c.sink = sqliteSink{number: c.sink.number} }()
	_, err := p.ExecContext(ctx, s.Args...)
	if c.sink.panicked != nil {
		panic(c.sink.panicked)
	}
	if c.sink.err != nil {
		return c.sink.err
	}
	return err
}

var numberedParameter = regexp.MustCompile(`\$([0-9]+)`)

// sqliteParameters returns a text in SQLite's words: $1 is a name to SQLite, ?1 a number, and a bare ? the next one. The driver
// looks every name and number up, for every row's every column; so texts that use their parameters once each and in order,
// nearly all, have bare ones.
func sqliteParameters(text string) string {
	n := 0
	for _, m := range numberedParameter.FindAllStringSubmatch(text, -1) {
		if n++; m[1] != strconv.Itoa(n) {
			return numberedParameter.ReplaceAllString(text, "?$1")
		}
	}
	return numberedParameter.ReplaceAllString(text, "?")
}

func (c *sqliteConn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if p := c.stmts[text]; p != nil {
		return p, nil
	}
	if len(c.stmts) >= maxSQLiteStmts {
		for old, p := range c.stmts { // any one
			delete(c.stmts, old)
			if err := p.Close(); err != nil {
				return nil, err
			}
			break
		}
	}
	p, err := c.conn.PrepareContext(ctx, sqliteParameters(c.sink.numbered(text)))
	if err != nil {
		return nil, err
	}
	c.stmts[text] = p
	return p, nil
}

func classifySQLite(err error) error {
	var done *Error
	if errors.As(err, &done) {
		return err
	}
	var se *sqlite.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrConnDone):
		return &Error{Class: Lost, Err: err}
	case !errors.As(err, &se):
		return err
	}
	class := Other
	switch se.Code() {
	case sqlitelib.SQLITE_CONSTRAINT_UNIQUE, sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY, sqlitelib.SQLITE_CONSTRAINT_ROWID:
		class = Unique
	default:
		switch se.Code() & 0xff { // the primary code
		case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
			class = Conflict
		case sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_FULL, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_NOMEM,
			sqlitelib.SQLITE_INTERRUPT, sqlitelib.SQLITE_READONLY:
			class = Lost
		case sqlitelib.SQLITE_ERROR:
			if noSuchTable.MatchString(se.Error()) {
				class = NoTable
			}
		}
	}
	return &Error{Class: class, Err: err}
}

var noSuchTable = regexp.MustCompile(`no such table`)
