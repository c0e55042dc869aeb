package imapd

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// sessionOf is session for another account.
func (b *bed) sessionOf(address string) *tester {
	b.t.Helper()
	c := b.session()
	c.s = newSession(b.srv, listener.Conn{Net: c.conn, Local: true, Log: slog.New(slog.DiscardHandler)})
	c.s.account = b.account(b.t, address).ID
	c.s.user = b.store.User(c.s.account)
	b.t.Cleanup(func() {
		if c.s.sel != nil {
			c.s.sel.Close()
		}
		c.s.cancel()
	})
	return c
}

// needed are commands that name a mailbox ("%"), and the rights without which they are refused.
var needed = []struct {
	rights  string
	command string
}{
	{"r", "SELECT %"},
	{"r", "EXAMINE %"},
	{"r", "SELECT % (CONDSTORE)"},
	{"r", "STATUS % (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ MAILBOXID DELETED DELETED-STORAGE)"},
	{"r", "STATUS % (APPENDLIMIT)"},
	{"r", "GETQUOTAROOT %"},
	{"i", "APPEND % {4+}\r\na: b"},
	{"i", "APPEND % (\\Seen) {4+}\r\na: b {4+}\r\na: c"},
	{"i", "APPEND % CATENATE (TEXT {6+}\r\na: b\r\n)"},
	{"i", "UID COPY 1 %"},
	{"i", "COPY 1:2 %"},
	{"i", "MOVE 1 %"},
	{"i", "UID MOVE * %"},
	{"i", "REPLACE 1 % {4+}\r\na: b"},
	{"i", "UID REPLACE * % (\\Draft) CATENATE (TEXT {6+}\r\na: b\r\n)"},
	{"r", "APPEND INBOX CATENATE (URL \"/&/;UID=1\")"},
	{"r", "REPLACE 1 INBOX CATENATE (URL \"/&/;UID=1\")"},
	{"r", "GENURLAUTH \"imap://bob%40example.org@imap.example.org/&/;UID=1;URLAUTH=anonymous\" INTERNAL"},
	{"l", "RESETKEY %"},
	{"lw", "SETMETADATA % (/shared/comment \"x\")"},
	{"a", "GETACL %"},
	{"a", "LISTRIGHTS % carol@example.org"},
	{"a", "SETACL % carol@example.org +l"},
	{"a", "DELETEACL % carol@example.org"},
	{"x", "DELETE %"},
}

// TestRightsOfCommands runs every command that names a mailbox with too few rights on it. Who may not see it is answered as if it
// were not there.
func TestRightsOfCommands(t *testing.T) {
	b := newBed(t)
	owner := b.user
	const (
		name    = `"Other Users/anna@example.org/Secret"`
		missing = `"Other Users/anna@example.org/Nobody"`
	)
	url := func(name string) string {
		return strings.NewReplacer(`"`, "", " ", "%20", "@", "%40").Replace(name)
	}
	guest := b.sessionOf("bob@example.org")
	if _, err := owner.Create(t.Context(), "Secret", ""); err != nil {
		t.Fatal(err)
	}
	anna := b.session("APPEND Secret {9+}\r\nsecret: x")
	give := func(rights metadata.Rights) {
		t.Helper()
		g := mailstore.Grantee{Address: "bob@example.org"}
		if err := owner.SetACL(t.Context(), "Secret", g, metadata.RightsReplace, rights); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(s string) metadata.Rights {
		r, err := metadata.ParseRights(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 3 {
		guest.do("APPEND INBOX {4+}\r\na: b")
	}
	const lookup = metadata.RightLookup
	for _, n := range needed {
		need := parse(n.rights)
		for _, rights := range []metadata.Rights{0, lookup, metadata.AllRights &^ need, metadata.AllRights &^ need &^ lookup} {
			if rights.Has(need) {
				continue
			}
			say := func(mailbox string) string {
				guest.do("SELECT INBOX")
				return guest.do(strings.NewReplacer("%40", "%40", "%", mailbox, "&", url(mailbox)).Replace(n.command))
			}
			give(0)
			want := strings.ReplaceAll(say(missing), "Nobody", "Secret")
			if rights.Has(lookup) {
				want = ""
			}
			give(rights)
			got := say(name)
			refused := "NO "
			if strings.HasPrefix(n.command, "GENURLAUTH") && !rights.Has(lookup) {
				refused = "BAD " // RFC 4467 section 7 has it so for mailboxes that are not there
			}
			if last := got[strings.LastIndex(got, "\n")+1:]; !strings.HasPrefix(last, refused) {
				t.Errorf("with %q %s: %s", rights, n.command, got)
			}
			if want != "" && got != want {
				t.Errorf("with %q %s:\n     %s\nthere is none: %s", rights, n.command, got, want)
			}
			if strings.Contains(got, "STATUS") && !strings.Contains(want, "STATUS") || strings.Contains(got, "FETCH") || strings.Contains(got, "EXISTS\nOK") {
				t.Errorf("with %q %s: %s", rights, n.command, got)
			}
		}
	}
	anna.expect("STATUS Secret (MESSAGES UIDNEXT)", "* STATUS Secret (MESSAGES 1 UIDNEXT 2)\nOK STATUS completed")
	for _, n := range needed {
		if n.rights == "x" {
			continue
		}
		give(parse(n.rights))
		guest.do("SELECT INBOX")
		if guest.s.sel.NumMessages() < 3 {
			guest.do("APPEND INBOX {4+}\r\na: b")
		}
		got := guest.do(strings.NewReplacer("%40", "%40", "%", name, "&", url(name)).Replace(n.command))
		if last := got[strings.LastIndex(got, "\n")+1:]; !strings.HasPrefix(last, "OK ") {
			t.Errorf("with %q %s: %s", n.rights, n.command, got)
		}
	}

	// What tells of many mailboxes passes over those without the right.
	guest.do("SUBSCRIBE " + name)
	for bits := metadata.Rights(0); bits <= metadata.AllRights; bits++ {
		if bits&^(lookup|metadata.RightRead|metadata.RightInsert|metadata.RightAdmin) != 0 {
			continue
		}
		give(bits)
		list := guest.do(`LIST "" "Other Users/*" RETURN (STATUS (MESSAGES) MYRIGHTS)`)
		for what, want := range map[string]bool{
			"* LIST": bits.Has(lookup), "Secret": bits.Has(lookup), "MYRIGHTS": bits.Has(lookup), "STATUS \"": bits.Has(lookup | metadata.RightRead),
		} {
			if strings.Contains(list, what) != want {
				t.Errorf("with %q %s: %s", bits, what, list)
			}
		}
		for _, search := range []string{
			"ESEARCH IN (mailboxes " + name + ") ALL", `ESEARCH IN (subtree "Other Users") RETURN (COUNT) ALL`, "ESEARCH IN (subscribed) RETURN (MIN) ALL",
		} {
			found := strings.Contains(guest.do(search), "Secret")
			named := strings.Contains(search, "mailboxes")
			if want := bits.Has(metadata.RightRead) && (named || bits.Has(lookup)); found != want && !strings.Contains(search, "subscribed") || found && !bits.Has(metadata.RightRead) {
				t.Errorf("with %q %s: found %v", bits, search, found)
			}
		}
		for _, all := range []string{`LIST (SUBSCRIBED) "" *`, `LSUB "" *`, `XLIST "" *`} {
			if got := guest.do(all); !bits.Has(lookup) && strings.Contains(got, "HasChildren") && strings.Contains(got, "Secret (") {
				t.Errorf("with %q %s: %s", bits, all, got)
			}
		}
	}

	// A URL is worth no more than who vouched for it may read.
	give(lookup | metadata.RightRead)
	made := guest.do("GENURLAUTH \"imap://bob%40example.org@imap.example.org/" + url(name) + "/;UID=1;URLAUTH=anonymous\" INTERNAL")
	full, _, _ := strings.Cut(strings.TrimPrefix(made, "* GENURLAUTH "), "\n")
	if got := anna.do("URLFETCH " + full); !strings.Contains(got, "secret: x") {
		t.Errorf("%s: %s", made, got)
	}
	for _, rights := range []metadata.Rights{0, lookup, metadata.AllRights &^ metadata.RightRead} {
		give(rights)
		for _, c := range []*tester{anna, guest} {
			for _, form := range []string{full, "(" + full + " BODY BINARY BODYPARTSTRUCTURE)"} {
				if got := c.do("URLFETCH " + form); !strings.HasPrefix(got, "* URLFETCH "+full+" NIL\n") || strings.Contains(got, "secret: x") {
					t.Errorf("with %q: %s", rights, got)
				}
			}
		}
	}
}
