package metadatafault

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// Open opens a store on a database where the rules strike.
func Open(ctx context.Context, o sqlstore.Options, rules *Rules) (metadata.Store, error) {
	inner := o.Wrap
	o.Wrap = func(db sqldb.DB) sqldb.DB {
		if inner != nil {
			db = inner(db)
		}
		return &faultyDB{DB: db, rules: rules}
	}
	return sqlstore.Open(ctx, o)
}

var errLost = errors.New("injected: connection lost")

func conflict() error {
	return &sqldb.Error{Class: sqldb.Conflict, Err: &pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "injected: restart transaction"}}
}

func lost() error      { return &sqldb.Error{Class: sqldb.Lost, Err: errLost} }
func ambiguous() error { return &sqldb.Error{Class: sqldb.Ambiguous, Err: errLost} }

// faultyDB is a database where the rules strike.
type faultyDB struct {
	sqldb.DB
	rules *Rules
}

var _ sqldb.DB = (*faultyDB)(nil)

// beforeStatement lets statement rules strike.
func (db *faultyDB) beforeStatement(ctx context.Context) error {
	rule, ok := db.rules.strike(Conflict, LostStatement, Delay)
	switch {
	case !ok:
		return nil
	case rule.Fault == Conflict:
		return conflict()
	case rule.Fault == LostStatement:
		return lost()
	}
	t := time.NewTimer(rule.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &sqldb.Error{Class: sqldb.Lost, Err: ctx.Err()}
	}
}

// errLostBefore ends a transaction that must not commit, and is told as an ambiguous one.
var errLostBefore = errors.New("injected: connection lost before COMMIT")

func (db *faultyDB) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	var atCommit Rule
	strikes := false
	err := db.DB.Write(ctx, func(tx sqldb.Tx) error {
		if err := fn(&faultyTx{tx: tx, db: db}); err != nil {
			return err
		}
		atCommit, strikes = db.rules.strike(ConflictAtCommit, LostBefore, LostAfter)
		switch {
		case strikes && atCommit.Fault == ConflictAtCommit:
			return conflict()
		case strikes && atCommit.Fault == LostBefore:
			return errLostBefore
		}
		return nil
	})
	switch {
	case errors.Is(err, errLostBefore):
		return ambiguous()
	case err == nil && strikes && atCommit.Fault == LostAfter:
		return ambiguous()
	}
	return err
}

func (db *faultyDB) Snapshot(ctx context.Context, stmts ...*sqldb.Stmt) error {
	if err := db.beforeStatement(ctx); err != nil {
		return err
	}
	return db.DB.Snapshot(ctx, stmts...)
}

func (db *faultyDB) Exec(ctx context.Context, stmt *sqldb.Stmt) error {
	if err := db.beforeStatement(ctx); err != nil {
		return err
	}
	rule, ok := db.rules.strike(ConflictAtCommit, LostBefore, LostAfter)
	switch {
	case ok && rule.Fault == ConflictAtCommit:
		return conflict()
	case ok && rule.Fault == LostBefore:
		return ambiguous()
	}
	err := db.DB.Exec(ctx, stmt)
	if err == nil && ok {
		return ambiguous()
	}
	return err
}

type faultyTx struct {
	tx sqldb.Tx
	db *faultyDB
}

func (tx *faultyTx) Run(ctx context.Context, stmts ...*sqldb.Stmt) error {
	if err := tx.db.beforeStatement(ctx); err != nil {
		return err
	}
	return tx.tx.Run(ctx, stmts...)
}
