package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// database opens the database of the shell's installation for as long as f runs: commands open it by themselves.
func (s *shell) database(f func(meta metadata.Store)) {
	s.t.Helper()
	meta, err := sqlstore.Open(s.t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(s.dir, "rookery-data", "metadata.sqlite")})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := meta.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	f(meta)
}

// accountID returns the id of an account.
func accountID(t *testing.T, meta metadata.Store, address string) metadata.AccountID {
	t.Helper()
	d, err := directory.New(directory.Options{Metadata: meta, DefaultDomain: "localhost", Delimiter: "+"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Account(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func (s *shell) queue(args ...string) []queueRow {
	s.t.Helper()
	var rows []queueRow
	if err := json.Unmarshal([]byte(s.ok(append([]string{"queue", "list", "--json"}, args...)...)), &rows); err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func TestQueueCommands(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice")
	if rows := s.queue(); len(rows) != 0 {
		t.Fatalf("a new queue has %+v", rows)
	}
	if out := s.ok("queue", "retry", "--all"); out != "Due now: 0 of 0.\n" {
		t.Errorf("%q", out)
	}
	var ids []string
	s.database(func(meta metadata.Store) {
		var items []metadata.Enqueue
		for i := range 3 {
			it := metadata.OutboundItem{ID: metadata.NewOutboundID(), Account: accountID(t, meta, "alice"), Kind: metadata.OutboundRedirect,
				From: "sender@example.net", To: fmt.Sprintf("to%d@example.com", i), Body: metadata.OutboundBody{Data: []byte("x"), Stored: 1}}
			ids = append(ids, it.ID.String())
			items = append(items, metadata.Enqueue{Item: it})
		}
		if _, err := meta.Enqueue(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		// They were tried, and wait for an hour.
		claimed, err := meta.ClaimOutbound(t.Context(), "node", time.Minute, 100)
		if err != nil || len(claimed) != 3 {
			t.Fatalf("claimed %d, %v", len(claimed), err)
		}
		for i := range claimed {
			r := metadata.OutboundResult{ID: claimed[i].ID, State: metadata.OutboundWaiting, Delay: time.Hour, Error: "451 greylisted\nfor now"}
			if err := meta.FinishOutbound(t.Context(), "node", []metadata.OutboundResult{r}); err != nil {
				t.Fatal(err)
			}
		}
	})
	byTo := func(rows []queueRow) map[string]queueRow {
		m := map[string]queueRow{}
		for _, r := range rows {
			m[r.To] = r
		}
		return m
	}
	rows := byTo(s.queue())
	if r := rows["to0@example.com"]; len(rows) != 3 || r.ID != ids[0] || r.State != "waiting" || r.Attempts != 1 || time.Until(r.Next) < 50*time.Minute ||
		!strings.HasPrefix(r.LastError, "451") || r.Kind != "redirect" || r.Sending {
		t.Errorf("%+v", rows)
	}
	if out := s.ok("queue", "list"); !strings.Contains(out, "451 greylisted for now") || strings.Count(out, "\n") != 4 {
		t.Errorf("%s", out)
	}
	s.fails(2, "name items, or all of them with --all", "queue", "retry")
	s.fails(2, "name items, or all of them with --all", "queue", "drop", "--all", ids[0])
	s.fails(2, "", "queue", "retry", "nonsense")

	if out := s.ok("queue", "retry", ids[0]); out != "Due now: 1 of 1.\n" {
		t.Errorf("%q", out)
	}
	rows = byTo(s.queue())
	if time.Until(rows["to0@example.com"].Next) > time.Second || time.Until(rows["to1@example.com"].Next) < 50*time.Minute {
		t.Errorf("after a retry of one: %+v", rows)
	}
	if out := s.ok("queue", "drop", ids[0], metadata.NewOutboundID().String()); out != "Dropped 1 of 2.\n" {
		t.Errorf("%q", out)
	}
	if rows := byTo(s.queue()); len(rows) != 2 || rows["to0@example.com"].ID != "" {
		t.Errorf("after a drop of one: %+v", rows)
	}
	if r := byTo(s.queue("--all"))["to0@example.com"]; r.State != "dropped" {
		t.Errorf("dropped is %+v", r)
	}
	if out := s.ok("queue", "retry", ids[0]); out != "Due now: 0 of 1.\n" {
		t.Errorf("what was dropped: %q", out)
	}
	var changed map[string]int
	if err := json.Unmarshal([]byte(s.ok("queue", "drop", "--all", "--json")), &changed); err != nil || changed["changed"] != 2 || changed["named"] != 2 {
		t.Errorf("%v, %v", changed, err)
	}
	if rows := s.queue(); len(rows) != 0 {
		t.Errorf("after all were dropped: %+v", rows)
	}
}
