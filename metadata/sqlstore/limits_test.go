package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// execute runs one statement beside the store.
func execute(t *testing.T, url, text string, args ...any) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(t.Context(), &sqldb.Stmt{SQL: text, Args: args}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// newAccount stores an account with an INBOX and returns both and a function that makes messages for it.
func newAccount(t *testing.T, s metadata.Store) (metadata.AccountID, metadata.MailboxID, func() metadata.AppendItem) {
	t.Helper()
	id, box := metadata.NewAccountID(), metadata.NewMailboxID()
	errs, err := s.CreateAccounts(t.Context(), []metadata.NewAccount{{ID: id, Address: id.String() + "@example.org",
		Mailboxes: []metadata.NewMailbox{{ID: box, Name: "INBOX"}}}})
	if err != nil || errs[0] != nil {
		t.Fatal(err, errs)
	}
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	return id, box, func() metadata.AppendItem {
		return metadata.AppendItem{Account: id, Mailbox: box, InternalDate: at, SaveDate: at,
			Body: metadata.Body{Account: id, ID: metadata.NewBodyID(at), Pack: metadata.NewPackID(at), Stored: 100}}
	}
}

func TestUIDsRunOut(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		id, box, item := newAccount(t, s)
		execute(t, url, "UPDATE mailboxes SET uid_next = 4294967293 WHERE mailbox_id = $1", box[:])
		res, err := s.Append(t.Context(), metadata.AppendBatch{Items: []metadata.AppendItem{item(), item(), item()}})
		if err != nil || res[0].UID != 1<<32-3 || res[1].UID != 1<<32-2 || !mailerr.Is(res[2].Err, mailerr.Limit) {
			t.Fatalf("results %+v, %v", res, err)
		}
		_, err = s.Copy(t.Context(), metadata.CopyRequest{Account: id, Source: box, DestAccount: id, Dest: box, UIDs: metadata.UIDSetOf(1<<32 - 2)})
		if !mailerr.Is(err, mailerr.Limit) {
			t.Fatalf("copy: %v", err)
		}
		st, err := s.StoreFlags(t.Context(), metadata.StoreFlags{Account: id, Mailbox: box, UIDs: metadata.UIDSet{{First: 1, Last: 1<<32 - 1}}, Flags: metadata.FlagSeen})
		if err != nil || len(st.Changed) != 2 || st.Missing.Len() != 1<<32-3 {
			t.Fatalf("store: %+v, %v", st, err)
		}
		metadatatest.Check(t.Context(), t, s, id)
	})
}

func TestUIDValidityAheadOfTime(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		now := time.Unix(1<<32-3, 0)
		s := open(t, sqlstore.Options{URL: url, Now: func() time.Time { return now }})
		id, _, _ := newAccount(t, s)
		now = time.Unix(1_800_000_000, 0) // the clock went back
		m, err := s.CreateMailbox(t.Context(), id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "a"}, 0)
		if err != nil || m.UIDValidity != 1<<32-2 {
			t.Fatalf("%+v, %v", m, err)
		}
		if _, err = s.CreateMailbox(t.Context(), id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "b"}, 0); err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateMailbox(t.Context(), id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "c"}, 0)
		if !mailerr.Is(err, mailerr.Limit) {
			t.Fatalf("got %v, want Limit", err)
		}
	})
}

// TestPurgedExpunges reads changes from before what is still known.
func TestPurgedExpunges(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		_, box, _ := newAccount(t, s)
		execute(t, url, "UPDATE mailboxes SET expunged_before = 10, highest_modseq = 20 WHERE mailbox_id = $1", box[:])
		for since, want := range map[metadata.ModSeq]bool{0: false, 9: false, 10: true, 20: true} {
			c, err := s.ChangesSince(t.Context(), box, since)
			if err != nil || c.Complete != want {
				t.Errorf("since %d: %+v, %v", since, c, err)
			}
		}
	})
}

// TestCreateTenThousandAccounts is an import: some thousand accounts a second.
func TestCreateTenThousandAccounts(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 10,000 accounts")
	}
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		accounts := make([]metadata.NewAccount, 10000)
		for i := range accounts {
			accounts[i] = metadata.NewAccount{ID: metadata.NewAccountID(), Address: fmt.Sprintf("user%d@example.org", i),
				Mailboxes: []metadata.NewMailbox{{ID: metadata.NewMailboxID(), Name: "INBOX"}}}
		}
		errs, err := s.CreateAccounts(t.Context(), accounts)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		for after := ""; ; {
			page, err := s.Accounts(t.Context(), after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if seen += len(page); len(page) == 0 {
				break
			}
			after = page[len(page)-1].Address
		}
		if seen != len(accounts) {
			t.Fatalf("%d accounts", seen)
		}
	})
}
