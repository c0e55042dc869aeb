package delivery_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// books files what people of address books send.
const books = `require ["extlists", "envelope", "fileinto", "mailbox"];
if address :list "from" ":addrbook:default" { fileinto :create "Friends"; }
elsif allof (valid_ext_list ":addrbook:Work", envelope :list "from" ":addrbook:Work") { fileinto :create "Work"; }
elsif valid_ext_list ":addrbook:none" { fileinto "wrong"; }`

func (e *env) annotate(id metadata.AccountID, entry, value string) {
	e.Helper()
	e.must(e.store.User(id).SetAnnotations(e.Context(), "", []mailstore.Annotation{{Entry: entry, Value: []byte(value)}}, mailstore.SetAnnotationsOptions{}))
}

// TestAddressBooks keeps address books as a client with METADATA does; each account has its own.
func TestAddressBooks(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", books)
	other := e.account("other@example.org", books)
	e.send(mail("empty"), "user@example.org")
	e.annotate(u, delivery.AddressBookEntry, "# friends\r\nAnn <ann@example.com>\r\nSENDER@example.net")
	e.annotate(other, delivery.AddressBookEntry+"/work", "@example.net")
	e.send(mail("m"), "user@example.org", "other@example.org")
	e.wantContent(u, "Friends: m; INBOX: empty")
	e.wantContent(other, "Work: m")
}

func (e *env) scriptError(id metadata.AccountID) string {
	e.Helper()
	sc, err := e.meta.Script(e.Context(), metadata.AccountScripts(id), "main")
	e.must(err)
	return sc.Error.Text
}

// TestFileList reads a list again when its file changes; when it cannot be read, messages are kept and the script's owner is told.
func TestFileList(t *testing.T) {
	e := newEnv(t)
	file := filepath.Join(t.TempDir(), "list")
	e.must(os.WriteFile(file, []byte("a@example.com\n"), 0o600))
	e.node = e.newNode(func(c *delivery.Config) {
		c.Lists = []delivery.List{{Name: "tag:example.org,2026:known", File: file}}
	})
	u := e.account("user@example.org", `require ["extlists", "fileinto", "mailbox"];
if header :list "from" "tag:example.org,2026:known" { fileinto :create "Known"; }`)
	e.send(mail("1"), "user@example.org")
	e.must(os.WriteFile(file, []byte("a@example.com\nsender@example.net\n"), 0o600))
	e.send(mail("2"), "user@example.org")
	e.must(os.WriteFile(file, []byte("\n"), 0o600))
	e.send(mail("3"), "user@example.org")
	if got := e.scriptError(u); got != "" {
		t.Error(got)
	}
	e.must(os.Remove(file))
	e.send(mail("4"), "user@example.org")
	if got := e.scriptError(u); !strings.Contains(got, `the list "tag:example.org,2026:known" cannot be read`) || strings.Contains(got, file) {
		t.Error(got)
	}
	e.must(os.Mkdir(file, 0o700))
	e.send(mail("5"), "user@example.org")
	e.must(os.Remove(file))
	e.must(os.WriteFile(file, make([]byte, 16<<20+1), 0o600))
	e.send(mail("6"), "user@example.org")
	e.must(os.WriteFile(file, []byte("@example.net\n"), 0o600))
	e.send(mail("7"), "user@example.org")
	e.wantContent(u, "INBOX: 1, 3, 4, Your mail filter has an error, 5, 6; Known: 2, 7")
}

func TestAddressList(t *testing.T) {
	e := newEnv(t)
	u := e.account("user@example.org", `require ["extlists", "fileinto", "mailbox"];
if envelope :list "from" "tag:staff" { fileinto :create "Staff"; }
if valid_ext_list "tag:gone" { stop; }`)
	e.must(e.meta.PutScript(t.Context(), metadata.AccountScripts(u), "main", `require ["extlists", "fileinto", "mailbox", "envelope"];
if envelope :list "from" "tag:staff" { fileinto :create "Staff"; }
if allof (valid_ext_list "tag:gone", envelope :list "from" "tag:gone") { stop; }`, metadata.ScriptLimits{}))
	e.account("bob@example.org", "")
	_, err := e.dir.SetAlias(t.Context(), "robert@example.org", "bob@example.org")
	e.must(err)
	_, err = e.dir.SetAlias(t.Context(), "staff@example.org", "robert@example.org")
	e.must(err)
	lists := []delivery.List{{Name: "tag:staff", Address: "staff@example.org", Redirect: true}}
	n := e.newNode(func(c *delivery.Config) { c.Lists, c.Members = lists, e.dir })
	for _, from := range []string{"bob@example.org", "robert@example.org", "user@example.org"} {
		e.must(e.deliver(n, from, mail("m"), "user@example.org")[0])
	}
	e.wantContent(u, "INBOX: m; Staff: m, m")

	n = e.newNode(func(c *delivery.Config) {
		c.Lists, c.Members = append(lists, delivery.List{Name: "tag:gone", Address: "gone@example.org"}), e.dir
	})
	e.must(e.deliver(n, "bob@example.org", mail("n"), "user@example.org")[0])
	if got := e.scriptError(u); !strings.Contains(got, "cannot be read") {
		t.Error(got)
	}
}

// TestRedirectToLists sends to each member once, but to lists that are for it only, and to no more than redirects are allowed.
func TestRedirectToLists(t *testing.T) {
	e := newEnv(t)
	file := filepath.Join(t.TempDir(), "list")
	e.must(os.WriteFile(file, []byte("a@example.com\nB@example.com\n@example.net\n"), 0o600))
	e.node = e.newNode(func(c *delivery.Config) {
		c.Lists = []delivery.List{{Name: "tag:open", File: file, Redirect: true}, {Name: "tag:closed", File: file}}
		c.Limits.Redirects = 3
	})
	u := e.account("user@example.org", `require ["extlists", "copy"]; redirect :copy "a@example.com"; redirect :list "tag:open"; redirect :list ":addrbook:default";`)
	closed := e.account("closed@example.org", `require "extlists"; redirect :list "tag:closed";`)
	many := e.account("many@example.org", `require "extlists"; redirect :list ":addrbook:default";`)
	e.annotate(u, delivery.AddressBookEntry, "b@EXAMPLE.com\nB@example.com\nc@example.com\nuser@example.org")
	e.annotate(many, delivery.AddressBookEntry, "1@example.com\n2@example.com\n3@example.com\n4@example.com")
	e.send(mail("m"), "user@example.org", "closed@example.org", "many@example.org")
	e.wantContent(closed, "INBOX: m, Your mail filter has an error")
	e.wantContent(many, "INBOX: m, Your mail filter has an error")
	if got := e.scriptError(closed); !strings.Contains(got, "may be redirected") {
		t.Error(got)
	}
	e.wantContent(u, "INBOX: m, Your mail filter has an error") // five addresses
	e.annotate(u, delivery.AddressBookEntry, "b@EXAMPLE.com\nc@example.com")
	e.send(mail("n"), "user@example.org")
	var to []string
	items := e.items()
	for i := range items {
		to = append(to, items[i].To)
	}
	if !slices.Equal(to, []string{"B@example.com", "a@example.com", "c@example.com"}) {
		t.Errorf("%q", to)
	}
	// What comes back is not sent again.
	e.send(mail("o", "X-Sieve-Redirected-From: user@example.org"), "user@example.org")
	if again := e.items(); len(again) != len(items) {
		t.Errorf("%d items, want %d", len(again), len(items))
	}
}

// brokenBooks is a store whose database does not answer for annotations.
type brokenBooks struct {
	*mailstore.Store
	broken *mailstore.Store
}

func (s brokenBooks) User(id metadata.AccountID) *mailstore.User { return s.broken.User(id) }

type brokenAnnotations struct{ metadata.Store }

var errDatabase = mailerr.New("metadata.Annotations", mailerr.Unavailable, "")

func (brokenAnnotations) Annotations(context.Context, metadata.AnnotationQuery) ([]metadata.Annotation, error) {
	return nil, errDatabase
}

type brokenMembers struct{}

func (brokenMembers) Members(context.Context, string) (accounts, aliases []string, err error) {
	return nil, nil, errDatabase
}

// TestListsInTrouble: a database that does not answer is no fault of the script's, the message is tried again.
func TestListsInTrouble(t *testing.T) {
	e := newEnv(t)
	blobs, err := filestore.Open(t.TempDir())
	e.must(err)
	hints := notify.NewLocal()
	broken, err := mailstore.New(mailstore.Config{Metadata: brokenAnnotations{e.meta}, Blobs: blobs, Notify: hints})
	e.must(err)
	t.Cleanup(func() {
		for _, err := range []error{broken.Close(context.Background()), hints.Close(), blobs.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	u := e.account("user@example.org", books)
	other := e.account("other@example.org", `require ["extlists", "envelope"]; if envelope :list "from" "tag:staff" { discard; }`)
	n := e.newNode(func(c *delivery.Config) {
		c.Store = brokenBooks{e.store, broken}
		c.Lists, c.Members = []delivery.List{{Name: "tag:staff", Address: "staff@example.org"}}, brokenMembers{}
	})
	for _, err := range e.deliver(n, "sender@example.net", mail("m"), "user@example.org", "other@example.org") {
		if !mailerr.Is(err, mailerr.Unavailable) {
			t.Errorf("%v", err)
		}
	}
	e.wantContent(u, "")
	e.wantContent(other, "")
	if got := e.scriptError(u); got != "" {
		t.Error(got)
	}
}

func TestParseList(t *testing.T) {
	for s, want := range map[string]delivery.List{
		"TAG:example.org,2026:a=/etc/a=b": {Name: "tag:example.org,2026:a", File: "/etc/a=b"},
		"tag:a=b=staff@example.org":       {Name: "tag:a=b", Address: "staff@example.org"},
		":addrbook:Company=/etc/book":     {Name: "urn:ietf:params:sieve:addrbook:company", File: "/etc/book"},
		"tag:a=etc/a":                     {}, "tag:a": {}, "tag:a=": {}, "=/x": {}, "a=/x": {}, ":addrbook:default=/x": {}, "": {},
	} {
		got, ok := delivery.ParseList(s)
		if ok != (want.Name != "") || ok && got != want {
			t.Errorf("%q is %+v, %v", s, got, ok)
		}
	}
}
