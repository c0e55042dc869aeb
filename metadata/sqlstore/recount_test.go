package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// TestRecountMends breaks every counter from outside and finds each one again.
func TestRecountMends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metadata.sqlite")
	s := open(t, sqlstore.Options{URL: "sqlite:" + file})
	id := metadata.NewAccountID()
	box := metadata.NewMailboxID()
	_, err := s.CreateAccounts(t.Context(), []metadata.NewAccount{{ID: id, Address: "a@example.org", Mailboxes: []metadata.NewMailbox{{ID: box, Name: "INBOX"}}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for range 3 {
		_, err := s.Append(t.Context(), metadata.AppendBatch{Items: []metadata.AppendItem{{Account: id, Mailbox: box, InternalDate: at, SaveDate: at,
			Flags: metadata.FlagDeleted, Body: metadata.Body{Account: id, ID: metadata.NewBodyID(at), Stored: 100}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`UPDATE mailboxes SET messages = 7, unseen = 0, deleted = 1, size = 5`, `UPDATE accounts SET used_bytes = 1, used_messages = 0`,
		`DELETE FROM domain_accounts`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	drifts, err := s.Recount(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := map[metadata.Drift]bool{
		{Mailbox: "INBOX", Counter: "messages", Was: 7, Is: 3}: true,
		{Mailbox: "INBOX", Counter: "bytes", Was: 5, Is: 300}:  true,
		{Mailbox: "INBOX", Counter: "unseen", Was: 0, Is: 3}:   true,
		{Mailbox: "INBOX", Counter: "deleted", Was: 1, Is: 3}:  true,
		{Counter: "messages", Was: 0, Is: 3}:                   true,
		{Counter: "bytes", Was: 1, Is: 300}:                    true,
	}
	if len(drifts) != len(want) {
		t.Errorf("drifts %+v", drifts)
	}
	for _, d := range drifts {
		if !want[d] {
			t.Errorf("drift %+v", d)
		}
	}
	metadatatest.Check(t.Context(), t, s, id)
	if drifts, err := s.Recount(t.Context(), id); err != nil || len(drifts) != 0 {
		t.Errorf("a second time: %+v, %v", drifts, err)
	}
	if err := s.SetDomainQuota(t.Context(), "example.org", 300, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.SumDomains(t.Context()); err != nil {
		t.Fatal(err)
	}
	if over, err := s.AccountsOver(t.Context()); err != nil || len(over) != 1 {
		t.Errorf("the account is not among its domain's: %v, %v", over, err)
	}
}
