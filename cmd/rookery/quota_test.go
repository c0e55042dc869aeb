package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestQuotaCommands(t *testing.T) {
	s := newShell(t)
	for _, address := range []string{"alice@example.org", "bob@example.org"} {
		s.ok("account", "add", address)
	}
	if out := s.ok("quota", "set", "alice@example.org", "--size", "1MiB"); out != "The quota is 1MiB.\n" && !strings.HasPrefix(out, "The quota is 1") {
		t.Errorf("%q", out)
	}
	s.ok("quota", "set", "@Example.ORG", "--messages", "7")
	s.fails(2, "--size takes", "quota", "set", "alice@example.org", "--size", "much")
	s.fails(1, "there is no account carol@example.org", "quota", "set", "carol@example.org")
	var rows []quotaRow
	if err := json.Unmarshal([]byte(s.ok("quota", "show", "--json")), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Of != "alice@example.org" || rows[0].QuotaBytes != 1<<20 || rows[1].Of != "@example.org" || rows[1].QuotaMessages != 7 {
		t.Errorf("%+v", rows)
	}
	if out := s.ok("quota", "show", "bob@example.org", "@example.org"); !strings.Contains(out, "bob@example.org") || !strings.Contains(out, "7 messages") {
		t.Errorf("%q", out)
	}
	s.fails(1, "the domain example.net has no limits", "quota", "show", "@example.net")
	s.fails(2, "name accounts, or say --all", "quota", "recount")
	if out := s.ok("quota", "recount", "--all"); out != "Counted 2 accounts, mended 0 counters.\n" {
		t.Errorf("%q", out)
	}
	if out := s.ok("quota", "recount", "bob@example.org", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("%q", out)
	}
}

func TestSharedCommands(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice@example.org")
	if out := s.ok("shared", "create", "example.org", "--admin", "alice@example.org"); out != "The shared mailboxes belong to shared@example.org.\n" {
		t.Errorf("%q", out)
	}
	s.fails(1, "there is no account bob@example.org", "shared", "create", "example.org", "--admin", "bob@example.org")
	var rows []sharedRow
	if err := json.Unmarshal([]byte(s.ok("shared", "list", "--json")), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Domain != "example.org" || rows[0].Address != "shared@example.org" {
		t.Errorf("%+v", rows)
	}
}
