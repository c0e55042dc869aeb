package sqlstore_test

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	_ "modernc.org/sqlite"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// scans are the texts that may read a whole table: small tables, and the pages an administrator asks for.
var scans = map[string]string{
	"ping":           "reads no table",
	"schema version": "a table of one row for each migration",
	"deletions":      "a table of what is being deleted now",

	"domains":       "a row for each domain with rules, for an administrator",
	"domain quotas": "a row for each domain with limits, for a background sum",
	"accounts over": "the domains that are over their limits, for a background look",

	"shared accounts": "a row for each domain that shares, for an administrator",
}

// crowd fills a database with accounts and messages, so that an optimizer has a reason to use indexes. Ids of one account
// and one of its mailboxes are the same: any id will do for any parameter.
func crowd(t *testing.T, s *sqlstore.Store) (id [16]byte) {
	t.Helper()
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	accounts := make([]metadata.NewAccount, 4000)
	for i := range accounts {
		a := metadata.NewAccountID()
		accounts[i] = metadata.NewAccount{ID: a, Address: a.String() + "@example.org", Mailboxes: []metadata.NewMailbox{
			{ID: metadata.MailboxID(a), Name: "INBOX", Subscribed: true}, {ID: metadata.NewMailboxID(), Name: "Sent", Subscribed: true},
		}}
	}
	if _, err := s.CreateAccounts(t.Context(), accounts); err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts[:40] {
		var items []metadata.AppendItem
		for range 200 {
			links := []metadata.ThreadLink{aLink(metadata.NewBodyID(at)), aLink(metadata.NewBodyID(at))}
			items = append(items, metadata.AppendItem{Links: links, Account: a.ID, Mailbox: metadata.MailboxID(a.ID), InternalDate: at, SaveDate: at,
				Body: metadata.Body{Account: a.ID, ID: metadata.NewBodyID(at), Pack: metadata.NewPackID(at), Stored: 10, Summary: make([]byte, 200)}})
		}
		if _, err := s.Append(t.Context(), metadata.AppendBatch{Items: items}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Expunge(t.Context(), metadata.ExpungeRequest{Account: a.ID, Mailbox: metadata.MailboxID(a.ID), UIDs: metadata.UIDSet{{First: 50, Last: 150}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, a := range accounts[:1200] {
		for _, grantee := range []string{accounts[i+1].Address, "@" + a.ID.String()} {
			c := metadata.ACLChange{Grantee: grantee, Rights: metadata.RightLookup}
			if err := s.SetACL(t.Context(), a.ID, metadata.MailboxID(a.ID), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SetSharedAccount(t.Context(), a.ID.String()+".example", a.ID); err != nil {
			t.Fatal(err)
		}
	}
	for i, a := range accounts[:3000] {
		owner := metadata.AccountScripts(a.ID)
		if err := s.PutScript(t.Context(), owner, "INBOX", "keep;", metadata.ScriptLimits{}); err != nil {
			t.Fatal(err)
		}
		if i >= 1000 {
			continue
		}
		err := s.SetAnnotations(t.Context(), metadata.SetAnnotations{Account: a.ID, Mailbox: metadata.MailboxID(a.ID), Owner: a.ID,
			Changes: []metadata.AnnotationChange{{Entry: "/private/comment", Value: make([]byte, 50)}, {Entry: "/shared/comment", Value: make([]byte, 50)}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ClaimHandle(t.Context(), a.ID, metadata.Handle(a.ID), "INBOX", time.Hour); err != nil {
			t.Fatal(err)
		}
		it := metadata.OutboundItem{ID: metadata.OutboundID(a.ID), Account: a.ID, Kind: metadata.OutboundRedirect, To: "a@example.org",
			Body: metadata.OutboundBody{Pack: metadata.PackID(accounts[i+1].ID), Data: make([]byte, 400)}}
		if _, err := s.Enqueue(t.Context(), []metadata.Enqueue{{Item: it}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range accounts[:300] {
		uidls := make([]metadata.UIDL, 20)
		for i := range uidls {
			uidls[i] = metadata.UIDL{Body: metadata.NewBodyID(at), Unique: a.ID.String() + string(rune('a'+i))}
		}
		if _, err := s.ImportUIDLs(t.Context(), a.ID, uidls); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range accounts[:500] {
		if err := s.AcquireLease(t.Context(), a.Address, "holder", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	return accounts[7].ID
}

// TestHotStatementsUseIndexes asks each engine how it would run every statement of the package.
func TestHotStatementsUseIndexes(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		id := crowd(t, s)
		words := sqlstore.WordsOf(s)
		explain := explainPg
		if words.Engine == "sqlite" {
			explain = explainSQLite
		}
		var all []sqlstore.Text
		for _, n := range []int{1, 8} {
			all = append(all, sqlstore.Texts(words, n)...)
		}
		seen := map[string]bool{}
		explain(t, url, func(plan func(string) string) {
			for _, text := range all {
				if seen[text.SQL] || scans[text.Name] != "" {
					continue
				}
				seen[text.SQL] = true
				p := plan(text.SQL)
				if fullScan.MatchString(p) {
					t.Errorf("%s reads a whole table\n%s\n%s", text.Name, text.SQL, p)
				}
			}
		}, id[:])
		if len(seen) < 50 {
			t.Errorf("only %d statements", len(seen))
		}
	})
}

// fullScan matches the plan of a statement that reads a whole table: PostgreSQL, CockroachDB, SQLite (which calls reading a
// list of VALUES or its own subquery a scan, too).
var fullScan = regexp.MustCompile(`Seq Scan on|FULL SCAN|\bSCAN (accounts|credentials|addresses|mailboxes|messages|bodies|packs|expunged|subscriptions|leases|deletions|acl|threads|thread_links|sieve_\w+|outbound|annotations|[abckmost])\b`)

func explainPg(t *testing.T, url string, each func(plan func(string) string), id []byte) {
	conn, err := pgx.Connect(t.Context(), "postgresql"+url[strings.Index(url, ":"):])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // the test is over
	for _, table := range []string{"accounts", "credentials", "addresses", "mailboxes", "messages", "bodies", "expunged", "subscriptions", "leases", "acl", "shared_accounts",
		"sieve_owners", "sieve_scripts", "sieve_handles", "outbound", "annotations"} {
		if _, err := conn.Exec(t.Context(), "ANALYZE "+table); err != nil {
			t.Fatal(err)
		}
	}
	each(func(text string) string {
		d, err := conn.Prepare(t.Context(), "", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var args []any
		for _, oid := range d.ParamOIDs {
			switch oid {
			case pgtype.ByteaOID:
				args = append(args, id)
			case pgtype.Int8OID:
				args = append(args, int64(5))
			case pgtype.TextOID:
				args = append(args, "INBOX")
			default:
				t.Fatalf("a parameter has type %d\n%s", oid, text)
			}
		}
		rows, err := conn.Query(t.Context(), "EXPLAIN "+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return strings.Join(lines, "\n")
	})
}

func explainSQLite(t *testing.T, url string, each func(plan func(string) string), id []byte) {
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	number := regexp.MustCompile(`\$([0-9]+)`)
	each(func(text string) string {
		args := make([]any, len(number.FindAllString(text, -1)))
		for i := range args {
			args[i] = id
		}
		q := "EXPLAIN QUERY PLAN " + number.ReplaceAllString(text, "?$1")
		rows, err := db.QueryContext(t.Context(), q, args[:highest(text)]...)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		defer rows.Close()
		var lines []string
		for rows.Next() {
			var a, b, c int
			var detail string
			if err := rows.Scan(&a, &b, &c, &detail); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	})
}

// highest returns the number of a text's parameters.
func highest(text string) int {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$[0-9]+`).FindAllString(text, -1) {
		used[m] = true
	}
	return len(used)
}
