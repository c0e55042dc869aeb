package sqlstore_test

import (
	"context"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// countingDB counts runs: round trips, but for that of COMMIT.
type countingDB struct {
	sqldb.DB
	runs, statements int
}

func (db *countingDB) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	return db.DB.Write(ctx, func(tx sqldb.Tx) error { return fn(&countingTx{tx, db}) })
}

func (db *countingDB) Snapshot(ctx context.Context, stmts ...*sqldb.Stmt) error {
	db.runs++
	return db.DB.Snapshot(ctx, stmts...)
}

type countingTx struct {
	tx sqldb.Tx
	db *countingDB
}

func (tx *countingTx) Run(ctx context.Context, stmts ...*sqldb.Stmt) error {
	tx.db.runs++
	tx.db.statements += len(stmts)
	return tx.tx.Run(ctx, stmts...)
}

// aLink is a link that no other body has.
func aLink(id metadata.BodyID) metadata.ThreadLink { return metadata.ThreadLink(id[len(id)-8:]) }

// TestRoundTrips keeps changes at two runs and a handful of statements, however many messages they are about.
func TestRoundTrips(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		count := &countingDB{}
		s := open(t, sqlstore.Options{URL: url, Wrap: func(db sqldb.DB) sqldb.DB { count.DB = db; return count }})
		id, box, item := newAccount(t, s)
		all := metadata.UIDSet{{First: 1, Last: 1<<32 - 1}}
		want := func(what string, runs, statements int, do func() error) {
			t.Helper()
			count.runs, count.statements = 0, 0
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if count.runs != runs || count.statements > statements {
				t.Errorf("%s: %d runs of %d statements, want %d of at most %d", what, count.runs, count.statements, runs, statements)
			}
		}
		for _, n := range []int{1, 100, 256} {
			var items []metadata.AppendItem
			for range n {
				it := item()
				it.Links = []metadata.ThreadLink{aLink(it.Body.ID)}
				items = append(items, it)
			}
			want("Append", 2, 13, func() error {
				_, err := s.Append(t.Context(), metadata.AppendBatch{Items: items})
				return err
			})
		}
		want("StoreFlags", 2, 6, func() error {
			_, err := s.StoreFlags(t.Context(), metadata.StoreFlags{Account: id, Mailbox: box, UIDs: all, Op: metadata.FlagsAdd, Flags: metadata.FlagSeen})
			return err
		})
		want("Copy", 2, 6, func() error {
			_, err := s.Copy(t.Context(), metadata.CopyRequest{Account: id, Source: box, UIDs: all, DestAccount: id, Dest: box})
			return err
		})
		want("LoadMailbox", 1, 0, func() error {
			_, _, err := s.LoadMailbox(t.Context(), box)
			return err
		})
		want("Expunge", 3, 7, func() error { // looks at the mailbox's row before it reads a whole mailbox
			_, err := s.Expunge(t.Context(), metadata.ExpungeRequest{Account: id, Mailbox: box, UIDs: all})
			return err
		})
	})
}
