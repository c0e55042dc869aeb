package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	s := newShell(t)
	s.fails(2, `unknown command "nonsense"`, "nonsense")
	s.fails(2, `unknown command "nonsense"`, "account", "nonsense")
	s.fails(2, "accepts 1 arg", "account", "add")
	s.fails(2, "unknown flag: --nonsense", "account", "list", "--nonsense")
	s.fails(2, "required flag", "deliver")
	s.fails(2, "requires at least 2 arg", "alias", "add", "x")
	if out := s.ok("version"); !strings.HasPrefix(out, "rookery v9.8.7-test (go") {
		t.Errorf("version: %q", out)
	}
	var v buildVersion
	if err := json.Unmarshal([]byte(s.ok("version", "--json")), &v); err != nil || v.Version != "v9.8.7-test" {
		t.Errorf("version --json: %+v, %v", v, err)
	}
	for _, cmd := range newRootCommand().Commands() {
		if cmd.Short == "" {
			t.Errorf("%s has no description", cmd.Name())
		}
	}
	if entries, _ := os.ReadDir(s.dir); len(entries) != 0 {
		t.Errorf("asking for help leaves %v", entries)
	}
}

func TestConfigCommands(t *testing.T) {
	s := newShell(t)
	if out := s.ok("config", "check"); !strings.Contains(out, "the configuration is good") {
		t.Errorf("%q", out)
	}
	path := s.write("r.toml", s.ok("config", "example"))
	if out := s.ok("config", "check", "-c", path); !strings.HasPrefix(out, path) {
		t.Errorf("%q", out)
	}
	s.write("rookery.toml", "[imap]\nlisten = \"nonsense\"\n")
	for _, args := range [][]string{{"config", "check"}, {"serve"}, {"account", "list"}} {
		s.fails(2, "rookery.toml:2: imap.listen: \"nonsense\" is not right; expected host:port", args...)
	}
	s.fails(2, "/nowhere: cannot be read: no such file", "serve", "-c", "/nowhere")
	s.write("rookery.toml", "[tls]\ncert = \"rookery.toml\"\nkey = \"rookery.toml\"\n")
	s.fails(2, "expected a certificate chain and its private key", "config", "check")
}

func TestAccountCommands(t *testing.T) {
	s := newShell(t)
	out := s.ok("account", "add", "Alice")
	password, ok := strings.CutPrefix(strings.Split(out, "\n")[1], "Password: ")
	if !ok || len(password) < 20 || !strings.HasPrefix(out, "Added alice@localhost.\n") {
		t.Fatalf("%q", out)
	}
	if o := s.run("se cret\nmore\n", "account", "add", "bob@example.org", "--password-stdin"); o.code != 0 || o.stdout != "Added bob@example.org.\n" {
		t.Errorf("%+v", o)
	}
	s.fails(1, "alice@localhost is taken already", "account", "add", "alice")
	s.fails(1, "is not an address", "account", "add", "a b@c")
	s.fails(2, "there is no password on standard input", "account", "add", "carol", "--password-stdin")
	if o := s.run("new\n", "account", "passwd", "bob@example.org", "--password-stdin"); o.code != 0 {
		t.Errorf("%+v", o)
	}
	s.fails(1, "there is no account carol@localhost", "account", "passwd", "carol")
	s.ok("account", "quota", "alice", "--size", "2GiB", "--messages", "5")
	s.fails(2, "--size takes", "account", "quota", "alice", "--size", "much")

	var rows []accountRow
	if err := json.Unmarshal([]byte(s.ok("account", "list", "--json")), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Address != "alice@localhost" || rows[0].QuotaBytes != 2<<30 || rows[0].QuotaMessages != 5 || rows[1].Address != "bob@example.org" ||
		time.Since(rows[0].Created) > time.Hour {
		t.Errorf("%+v", rows)
	}
	if out := s.ok("account", "list"); !strings.Contains(out, "alice@localhost  0         0 B    2.0 GiB, 5 messages  active") {
		t.Errorf("%s", out)
	}

	s.ok("alias", "add", "info", "alice", "bob@example.org")
	s.fails(1, "there is no account or alias nobody@localhost here; add it first", "alias", "add", "x", "nobody")
	s.fails(1, "alice@localhost is an account", "alias", "add", "alice", "bob@example.org")
	var aliases []aliasRow
	if err := json.Unmarshal([]byte(s.ok("alias", "list", "--json")), &aliases); err != nil || len(aliases) != 1 || len(aliases[0].Targets) != 2 {
		t.Errorf("%+v, %v", aliases, err)
	}
	if out := s.ok("alias", "list"); !strings.Contains(out, "info@localhost  alice@localhost, bob@example.org") {
		t.Errorf("%s", out)
	}
	s.ok("alias", "remove", "info")
	s.fails(1, "there is no alias info@localhost", "alias", "remove", "info")

	s.fails(2, "say --yes", "account", "remove", "alice")
	s.ok("account", "remove", "alice", "--yes")
	s.fails(1, "there is no account alice@localhost", "account", "remove", "alice", "--yes")
	if out := s.ok("account", "list", "--json"); strings.Contains(out, "alice") {
		t.Errorf("%s", out)
	}
}

func TestImportCommand(t *testing.T) {
	s := newShell(t)
	var b strings.Builder
	const n = 300
	for i := range n {
		fmt.Fprintf(&b, "user%d,password %d\n", i, i)
	}
	bad := s.write("bad.csv", b.String()+"a b,c\nuser1,twice\n")
	s.fails(1, bad+":301: a b is not an address", "account", "import", bad)
	s.fails(1, bad+":302: user1@localhost stands in line 2 already", "account", "import", bad)
	s.fails(1, "2 of 302 lines cannot be imported; nothing was", "account", "import", bad)
	if out := s.ok("account", "list", "--json"); out != "[]\n" {
		t.Fatalf("a bad file leaves %s", out)
	}
	good := s.write("good.csv", b.String())
	s.ok("account", "add", "user7")
	o := s.run("", "account", "import", good)
	if o.code != 0 || !strings.HasPrefix(o.stdout, "299 accounts added, 1 existed already") || !strings.Contains(o.stderr, good+":8: user7@localhost exists already") {
		t.Errorf("%+v", o)
	}
	if o := s.run("x,y\n", "account", "import", "-"); o.code != 0 || !strings.HasPrefix(o.stdout, "1 accounts added") {
		t.Errorf("%+v", o)
	}
	s.fails(1, "not as ROT13", "account", "import", "--scheme", "ROT13", s.write("one.csv", "z,z\n"))
	s.fails(2, "no such file", "account", "import", "nowhere.csv")
	s.fails(2, "is not a file", "account", "import", s.dir)
}

func TestMigrateCommand(t *testing.T) {
	s := newShell(t, "ROOKERY_DATA_DIR=data")
	if out := s.ok("migrate"); !strings.HasPrefix(out, "The schema went from version 0 to ") {
		t.Errorf("%q", out)
	}
	if out := s.ok("migrate"); !strings.Contains(out, "already") {
		t.Errorf("%q", out)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "data")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDatabaseOutOfReach(t *testing.T) {
	s := newShell(t, "ROOKERY_METADATA=postgresql://rookery:hunter2@127.0.0.1:1/rookery")
	o := s.run("", "account", "list")
	if o.code != 1 || !strings.Contains(o.stderr, "127.0.0.1") || strings.Contains(o.stderr, "hunter2") {
		t.Errorf("%+v", o)
	}
}

func TestDomains(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice@example.org")
	s.ok("domain", "add", "Example.org", "--catch-all", "alice@example.org", "--delimiter", "-")
	s.fails(1, "there are rules for example.org already", "domain", "add", "example.org")
	s.ok("domain", "add", "example.net", "--alias-of", "example.org", "--detail-mailbox", "off")
	s.ok("domain", "set", "example.org", "--delimiter", "", "--case", "keep")
	s.fails(2, "--case is fold or keep", "domain", "set", "example.org", "--case", "upper")
	s.fails(2, "--detail-mailbox is on, off or default", "domain", "set", "example.org", "--detail-mailbox", "yes")
	s.fails(1, "there are no rules for example.com", "domain", "set", "example.com", "--case", "fold")
	s.fails(1, "there is no account or alias bob@example.org here", "domain", "set", "example.org", "--catch-all", "bob")
	var rows []domainRow
	if err := json.Unmarshal([]byte(s.ok("domain", "list", "--json")), &rows); err != nil || len(rows) != 2 ||
		rows[0] != (domainRow{Name: "example.net", AliasOf: "example.org", Case: "fold", DetailMailbox: "off"}) ||
		rows[1] != (domainRow{Name: "example.org", CatchAll: "alice@example.org", Case: "keep", DetailMailbox: "default"}) {
		t.Errorf("%+v, %v", rows, err)
	}
	if out := s.ok("domain", "list"); !strings.Contains(out, "example.org  -            alice@example.org  -          keep  default") {
		t.Errorf("%s", out)
	}
	s.ok("account", "detail-mailbox", "alice@example.org", "on")
	s.fails(2, "expected on, off or domain", "account", "detail-mailbox", "alice@example.org", "default")
	s.ok("domain", "remove", "example.net")
	s.fails(1, "there are no rules for example.net", "domain", "remove", "example.net")
}
