package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// TestAddressBook keeps an address book by IMAP's METADATA; a script files what people in it send by LMTP.
func TestAddressBook(t *testing.T) {
	s := newShell(t)
	s.env = append(s.env, "ROOKERY_SIEVE_LISTS=tag:example.org,2026:vips="+filepath.Join(s.dir, "vips")+" tag:example.org,2026:all=all@localhost")
	if o := s.run("secret\n", "account", "add", "alice", "--password-stdin"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	s.ok("account", "add", "bob")
	s.ok("alias", "add", "all", "bob")
	s.write("vips", "# the important\nBoss <boss@example.com>\n")
	s.write("main.sieve", `require ["extlists", "fileinto", "mailbox", "virustest", "relational", "comparator-i;ascii-numeric"];
if virustest :value "ge" :comparator "i;ascii-numeric" "4" { fileinto :create "Quarantine"; stop; }
if header :list "from" "tag:example.org,2026:vips" { fileinto :create "VIPs"; }
elsif header :list "from" "tag:example.org,2026:all" { fileinto :create "Colleagues"; }
elsif header :list "from" ":addrbook:default" { fileinto :create "Friends"; }
`)
	s.ok("sieve", "put", "--account", "alice", "--activate", "main", "main.sieve")
	srv := s.serve()
	c := srv.login("alice", "secret")
	book := []byte("# friends\r\nAnn <ann@example.com>\r\n")
	if err := c.SetMetadata("", map[string]*[]byte{"/private/vendor/rookery/addressbook": &book}).Wait(); err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"ann": "From: Ann <Ann@Example.com>", "boss": "From: boss@example.com", "bob": "From: bob@localhost", "nobody": "From: x@example.com",
		"ill": "From: boss@example.com\nX-Virus-Status: Infected (Eicar-Test-Signature)",
	} {
		s.ok("deliver", "--server", srv.lmtp, "--to", "alice", s.write(name, header+"\nSubject: "+name+"\n\nx\n"))
	}
	for mailbox, want := range map[string]string{"VIPs": "boss", "Colleagues": "bob", "Friends": "ann", "INBOX": "nobody", "Quarantine": "ill"} {
		if data, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil || data.NumMessages != 1 {
			t.Errorf("%s: %+v, %v", mailbox, data, err)
			continue
		}
		got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{Envelope: true}).Collect()
		if err != nil || len(got) != 1 || got[0].Envelope.Subject != want {
			t.Errorf("%s has %+v, %v, want %s", mailbox, got, err, want)
		}
	}
}

func TestSieveTestWithLists(t *testing.T) {
	s := newShell(t)
	s.write("a.sieve", `require ["extlists", "fileinto", "virustest"];
if allof (valid_ext_list "tag:friends", header :list "from" ["tag:friends", ":addrbook:default"]) { fileinto "Friends"; }
if valid_ext_list ":addrbook:default" { fileinto "always"; }
if valid_ext_list "tag:friends" { redirect :list "tag:friends"; }
if virustest "5" { fileinto "ill"; }
`)
	s.write("friends", "a@example.com\n")
	s.write("m.eml", "From: a@example.com\r\nX-Virus-Status: Infected\r\n\r\nx\r\n")
	out := s.ok("sieve", "test", "--list", "tag:friends=friends", "a.sieve", "m.eml")
	for _, want := range []string{`"Friends"`, `"always"`, `redirect to a@example.com of the list "tag:friends"`, `"ill"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if out := s.ok("sieve", "test", "a.sieve", "m.eml"); strings.Contains(out, "Friends") || strings.Contains(out, "redirect") || !strings.Contains(out, `"always"`) {
		t.Error(out)
	}
	s.fails(2, "--list is NAME=FILE", "sieve", "test", "--list", "friends", "a.sieve", "m.eml")
	s.fails(1, "no such file", "sieve", "test", "--list", "tag:friends=nowhere", "a.sieve", "m.eml")
	s.ok("sieve", "check", "a.sieve")
	s.write("b.sieve", "require \"extlists\";\nredirect :list \"tag:friends\";\n")
	s.fails(1, `there is no list "tag:friends"`, "sieve", "test", "b.sieve", "m.eml")
}

func TestAddressbookCommand(t *testing.T) {
	s := newShell(t)
	s.ok("account", "add", "alice")
	s.ok("account", "add", "bob")
	s.write("book", "a@example.com\n# x\nb@example.com\n")
	if out := s.ok("account", "addressbook", "alice"); out != "" {
		t.Errorf("%q", out)
	}
	if out := s.ok("account", "addressbook", "alice", "book"); out != "Stored, members: 2.\n" {
		t.Errorf("%q", out)
	}
	if o := s.run("c@example.com", "account", "addressbook", "alice@localhost", "-", "--name", "Work"); o.code != 0 {
		t.Errorf("%+v", o)
	}
	for book, want := range map[string]string{"default": "a@example.com\n# x\nb@example.com\n", "work": "c@example.com", "other": ""} {
		if out := s.ok("account", "addressbook", "alice", "--name", book); out != want {
			t.Errorf("%s: %q, want %q", book, out, want)
		}
	}
	if out := s.ok("account", "addressbook", "bob"); out != "" {
		t.Errorf("%q", out)
	}
	s.ok("account", "addressbook", "alice", "--remove")
	if out := s.ok("account", "addressbook", "alice"); out != "" {
		t.Errorf("%q", out)
	}
	s.write("large", strings.Repeat("x", 33<<10))
	s.fails(1, "at most 32768 bytes", "account", "addressbook", "alice", "large")
	s.fails(1, "nobody", "account", "addressbook", "nobody")
	s.fails(2, "is no name of an address book", "account", "addressbook", "alice", "--name", "a b")
	s.fails(2, "say --remove or name a file", "account", "addressbook", "alice", "book", "--remove")
}
