package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// failingDB is a database whose transactions go as a script says, a letter each: "a" happens and is ambiguous, "l" does not
// happen, anything else, and what is behind the end, goes well.
type failingDB struct {
	sqldb.DB
	script string
}

func (db *failingDB) Write(ctx context.Context, fn func(sqldb.Tx) error) error {
	how := byte('-')
	if db.script != "" {
		how, db.script = db.script[0], db.script[1:]
	}
	switch how {
	case 'a':
		if err := db.DB.Write(ctx, fn); err != nil {
			return err
		}
		return &sqldb.Error{Class: sqldb.Ambiguous, Err: errors.New("the connection broke at COMMIT")}
	case 'l':
		return &sqldb.Error{Class: sqldb.Lost, Err: errors.New("nobody answers")}
	}
	return db.DB.Write(ctx, fn)
}

// TestPatienceInDoubt appends while the database is away behind a commit that happened: whoever is told that nothing did would
// deliver once more. Where nothing can have happened, the caller hears soon.
func TestPatienceInDoubt(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		for script, want := range map[string]int64{
			"a":                              1,
			"a-" + strings.Repeat("l", 5):    1,
			"all-l" + strings.Repeat("l", 4): 1,
			"a-a-a-a-a":                      1,
			"llla":                           1,
			"llll":                           0,
		} {
			failing := &failingDB{}
			s := open(t, sqlstore.Options{URL: url, Wrap: func(db sqldb.DB) sqldb.DB { failing.DB = db; return failing }})
			_, box, item := newAccount(t, s)
			failing.script = script
			_, err := s.Append(t.Context(), metadata.AppendBatch{Items: []metadata.AppendItem{item()}})
			if want == 1 && err != nil || want == 0 && !mailerr.Is(err, mailerr.Unavailable) {
				t.Errorf("%s: %v", script, err)
			}
			if got := rows(t, url, "SELECT COUNT(*) FROM messages WHERE mailbox_id = $1", box[:]); got != want {
				t.Errorf("%s: %d messages, want %d", script, got, want)
			}
		}
	})
}
