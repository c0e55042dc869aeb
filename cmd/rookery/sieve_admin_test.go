package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
)

func (s *shell) scripts(args ...string) map[string]scriptRow {
	s.t.Helper()
	var rows []scriptRow
	if err := json.Unmarshal([]byte(s.ok(append([]string{"sieve", "list", "--json"}, args...)...)), &rows); err != nil {
		s.t.Fatal(err)
	}
	m := map[string]scriptRow{}
	for _, r := range rows {
		m[r.Name] = r
	}
	return m
}

func TestSieveScriptCommands(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice")
	s.write("a.sieve", "keep; # a\n")
	alice := []string{"--account", "alice"}
	with := func(args ...string) []string { return append(args, alice...) }

	if out := s.ok(with("sieve", "put", "main", "a.sieve")...); out != "Stored main.\n" {
		t.Errorf("%q", out)
	}
	if o := s.run("discard;\n", with("sieve", "put", "--activate", "other", "-")...); o.code != 0 || o.stdout != "Stored other.\n" {
		t.Errorf("%+v", o)
	}
	if rows := s.scripts(alice...); len(rows) != 2 || rows["main"].Active || !rows["other"].Active || rows["main"].Bytes != 10 {
		t.Errorf("%+v", rows)
	}
	if out := s.ok(with("sieve", "list")...); !strings.Contains(out, "other  yes") {
		t.Errorf("%s", out)
	}
	if out := s.ok(with("sieve", "get", "main")...); out != "keep; # a\n" {
		t.Errorf("%q", out)
	}
	s.ok(with("sieve", "activate", "main")...)
	if rows := s.scripts(alice...); !rows["main"].Active || rows["other"].Active {
		t.Errorf("%+v", rows)
	}
	s.ok(with("sieve", "activate", "--none")...)
	if rows := s.scripts(alice...); rows["main"].Active {
		t.Errorf("%+v", rows)
	}
	s.ok(with("sieve", "activate", "main")...)
	s.ok(with("sieve", "delete", "other")...)
	if rows := s.scripts(alice...); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}

	// The administrator's are apart.
	s.ok("sieve", "put", "--scope", "before", "--activate", "main", "a.sieve")
	s.ok("sieve", "put", "--scope", "after", "--domain", "Example.ORG", "rules", "a.sieve")
	if rows := s.scripts("--scope", "after", "--domain", "example.org"); len(rows) != 1 || rows["rules"].Active {
		t.Errorf("%+v", rows)
	}
	if rows := s.scripts("--scope", "after"); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	if out := s.ok("sieve", "standard"); !strings.Contains(out, "X-Spam-Flag") {
		t.Errorf("%q", out)
	}
}

func TestSieveScriptCommandsThatFail(t *testing.T) {
	s := newShell(t, "ROOKERY_SIEVE_SCRIPTS=1", "ROOKERY_SIEVE_SCRIPT_SIZE=1024")
	s.ok("account", "add", "alice")
	s.write("a.sieve", "keep;\n")
	s.write("bad.sieve", "kepp;\n")
	s.write("large.sieve", strings.Repeat("# long\n", 200))
	s.ok("sieve", "put", "--account", "alice", "--activate", "main", "a.sieve")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{1, `there is no command "kepp"`, []string{"put", "--account", "alice", "main", "bad.sieve"}},
		{1, "", []string{"put", "--account", "alice", "main", "large.sieve"}},
		{1, "", []string{"put", "--account", "alice", "second", "a.sieve"}},
		{1, "there is no account bob@localhost", []string{"put", "--account", "bob", "main", "a.sieve"}},
		{1, "", []string{"get", "--account", "alice", "nowhere"}},
		{1, "", []string{"activate", "--account", "alice", "nowhere"}},
		{1, "", []string{"delete", "--account", "alice", "nowhere"}},
		{1, "", []string{"delete", "--account", "alice", "main"}}, // it is active
		{2, "no such file", []string{"put", "--account", "alice", "main", "nowhere.sieve"}},
		{2, "--account or --scope is needed", []string{"list"}},
		{2, "--account or --scope is needed", []string{"list", "--account", "alice", "--scope", "before"}},
		{2, "--scope is before, after or shared", []string{"list", "--scope", "during"}},
		{2, "--domain goes with", []string{"list", "--scope", "shared", "--domain", "example.org"}},
		{2, "name a script, or say --none", []string{"activate", "--account", "alice"}},
		{2, "name a script, or say --none", []string{"activate", "--account", "alice", "--none", "main"}},
	} {
		s.fails(c.code, c.says, append([]string{"sieve"}, c.args...)...)
	}
	if out := s.ok("sieve", "get", "--account", "alice", "main"); out != "keep;\n" {
		t.Errorf("what was refused is stored: %q", out)
	}
}

func TestSieveErrorsCommand(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice")
	s.write("a.sieve", "keep;\n")
	s.ok("sieve", "put", "--account", "alice", "main", "a.sieve")
	if out := s.ok("sieve", "errors", "--account", "alice"); out != "" {
		t.Errorf("%q", out)
	}
	s.database(func(meta metadata.Store) {
		owner := metadata.AccountScripts(accountID(t, meta, "alice"))
		for range 2 {
			if _, err := meta.RecordScriptError(t.Context(), owner, "main", "1:1: it broke"); err != nil {
				t.Fatal(err)
			}
		}
	})
	if out := s.ok("sieve", "errors", "--account", "alice"); !strings.HasPrefix(out, "main: 2 errors, the last at ") || !strings.HasSuffix(out, ":\n1:1: it broke\n") {
		t.Errorf("%q", out)
	}
	var rows []scriptRow
	if err := json.Unmarshal([]byte(s.ok("sieve", "errors", "--account", "alice", "--json")), &rows); err != nil || len(rows) != 1 ||
		rows[0].Errors != 2 || rows[0].Error != "1:1: it broke" || rows[0].ErrorAt == nil {
		t.Errorf("%+v, %v", rows, err)
	}
	s.ok("sieve", "put", "--account", "alice", "main", "a.sieve") // stored anew, it has none
	if out := s.ok("sieve", "errors", "--account", "alice", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("%q", out)
	}
}
