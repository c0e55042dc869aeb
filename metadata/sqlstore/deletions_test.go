package sqlstore_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// dyingDB is a database whose node dies after a number of transactions.
type dyingDB struct {
	sqldb.DB
	left int
}

func (db *dyingDB) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	if db.left == 0 {
		return &sqldb.Error{Class: sqldb.Lost, Err: context.Canceled}
	}
	db.left--
	return db.DB.Write(ctx, fn)
}

// TestDeletionIsFinished lets a node die after each step of the deletion of a mailbox of 25 messages: the mailbox is gone, the
// account's use is right, and another node moves what is left.
func TestDeletionIsFinished(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		other := open(t, sqlstore.Options{URL: url, MaxChanges: 10})
		for steps := 1; steps <= 4; steps++ {
			dying := &dyingDB{left: 1 << 30}
			s := open(t, sqlstore.Options{URL: url, MaxChanges: 10, Log: slog.New(slog.DiscardHandler), Wrap: func(db sqldb.DB) sqldb.DB { dying.DB = db; return dying }})
			id, box, item := newAccount(t, s)
			var items []metadata.AppendItem
			for range 25 {
				items = append(items, item())
			}
			if _, err := s.Append(t.Context(), metadata.AppendBatch{Items: items}); err != nil {
				t.Fatal(err)
			}
			dying.left = steps
			if err := s.DeleteMailbox(t.Context(), id, box); err != nil {
				t.Fatal(err)
			}
			if _, _, err := other.LoadMailbox(t.Context(), box); !mailerr.Is(err, mailerr.NotFound) {
				t.Fatalf("after %d steps: %v", steps, err)
			}
			metadatatest.Check(t.Context(), t, other, id)
			wantLeft := 1
			if steps == 4 {
				wantLeft = 0 // it got to the end
			}
			n, err := other.FinishDeletions(t.Context())
			if err != nil || n != wantLeft {
				t.Fatalf("after %d steps: finished %d, %v", steps, n, err)
			}
			if got := rows(t, url, "SELECT COUNT(*) FROM messages WHERE mailbox_id = $1", box[:]); got != 0 {
				t.Fatalf("after %d steps: %d messages are left", steps, got)
			}
			if got := rows(t, url, "SELECT COUNT(*) FROM expunged WHERE mailbox_id = $1", box[:]); got != 25 {
				t.Fatalf("after %d steps: %d messages are in expunged", steps, got)
			}
		}
	})
}

// rows returns the number a statement yields.
func rows(t *testing.T, url, text string, args ...any) (n int64) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Snapshot(t.Context(), &sqldb.Stmt{SQL: text, Args: args, Each: func(r sqldb.Row) error { return r.Scan(&n) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}
