package mailstore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

func names(c *cluster, u *mailstore.User) string {
	c.t.Helper()
	list, err := u.List(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		name := m.Name
		if m.NonExistent {
			name = "(" + name + ")"
		}
		if m.HasChildren {
			name += "+"
		}
		if m.Subscribed {
			name += "*"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestList(t *testing.T) {
	c := newCluster(t)
	u := c.node(nil).User(c.account("a/b/c", "A", "Zz", "INBOX/old", "a!"))
	for _, name := range []string{"A", "gone/below", "inbox"} {
		if err := u.Subscribe(c.ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(c, u), "INBOX+* A* INBOX/old Zz (a)+ a! (a/b)+ a/b/c (gone/below)*"; got != want {
		t.Errorf("List: %s\nwant: %s", got, want)
	}
	if err := u.Unsubscribe(c.ctx, "gone/below"); err != nil {
		t.Fatal(err)
	}
	if got := names(c, u); strings.Contains(got, "gone") {
		t.Errorf("after Unsubscribe: %s", got)
	}
}

func TestCreateNames(t *testing.T) {
	c := newCluster(t)
	u := c.node(nil).User(c.account())
	for _, tc := range []struct {
		name string
		want string // the name it gets, or the kind of the refusal
	}{
		{"Work", "Work"}, {"Work", "already exists"}, {"Work/", "already exists"}, {"Work/2026/", "Work/2026"}, {"work", "work"},
		{"inbox", "already exists"}, {"InBox/", "already exists"}, {"inBox/Lists", "INBOX/Lists"}, {"INBOXES", "INBOXES"},
		{"", "invalid"}, {"/", "invalid"}, {"//", "invalid"}, {"/a", "invalid"}, {"a//b", "invalid"}, {"a//", "invalid"},
		{"a\x00b", "invalid"}, {"a\nb", "invalid"}, {"\xff", "invalid"}, {"\u0085", "invalid"},
		{"caf\u00e9", "caf\u00e9"}, {"cafe\u0301", "already exists"}, {"e\u0301", "\u00e9"}, {"\u00e9", "already exists"},
		{"日本語/台北", "日本語/台北"}, {"a b*%\"\\~&", "a b*%\"\\~&"},
		{strings.Repeat("x", 1000), strings.Repeat("x", 1000)}, {strings.Repeat("x", 1001), "invalid"},
		{strings.Repeat("x/", 100), strings.Repeat("x/", 99) + "x"}, {strings.Repeat("y/", 101), "invalid"},
	} {
		m, err := u.Create(c.ctx, tc.name, "")
		var got string
		if err != nil {
			got = mailerr.KindOf(err).String()
		} else {
			got = m.Name
		}
		if got != tc.want {
			t.Errorf("Create(%q) = %q (%v), want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestRename(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account("a", "a/b", "a/b/c", "ab", "p/q"))
	for _, tc := range []struct{ from, to, want string }{
		{"a", "a", "already exists"}, {"a", "ab", "already exists"}, {"a", "a/b/d", "invalid"}, {"nowhere", "x", "not found"},
		{"a", "x//y", "invalid"}, {"a", strings.Repeat("n", 998), "invalid"}, {"a", "inbox", "already exists"},
		{"a", "New/a/", ""}, {"p", "P", ""}, {"ab", "New/a/b", "already exists"},
	} {
		err := u.Rename(c.ctx, tc.from, tc.to)
		if got := ""; tc.want != got && !(err != nil && mailerr.KindOf(err).String() == tc.want) || tc.want == "" && err != nil {
			t.Errorf("Rename(%q, %q) = %v, want %q", tc.from, tc.to, err, tc.want)
		}
	}
	if got, want := names(c, u), "INBOX (New)+ New/a+ New/a/b+ New/a/b/c (P)+ P/q ab"; got != want {
		t.Errorf("after: %s\nwant: %s", got, want)
	}
}

func TestRenameInbox(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account("INBOX/below"))
	c.fill(s, u, "INBOX", 5)
	inbox := c.open(u, "INBOX")
	if err := u.Rename(c.ctx, "inbox", "Old"); err != nil {
		t.Fatal(err)
	}
	if got, want := names(c, u), "INBOX+ INBOX/below Old"; got != want {
		t.Errorf("List: %s, want %s", got, want)
	}
	if u := c.sync(inbox, fresh); len(u.Expunged) != 5 || u.NumMessages != 0 {
		t.Errorf("a session of INBOX is told %s", describe(u))
	}
	old := c.open(u, "Old")
	if old.NumMessages() != 5 || c.text(old, 1) != mail("0") {
		t.Errorf("Old has %d messages", old.NumMessages())
	}
	if uid := c.append(u, s, "INBOX", mail("next")); uid != 6 {
		t.Errorf("INBOX starts again at UID %d", uid)
	}
	if err := u.Rename(c.ctx, "INBOX", "Old"); !mailerr.Is(err, mailerr.Exists) {
		t.Errorf("INBOX onto an existing mailbox: %v", err)
	}
	if err := u.Delete(c.ctx, "inbox"); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("deleting INBOX: %v", err)
	}
}

func TestKeywords(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account())
	if _, err := u.Append(c.ctx, "INBOX", c.stage(s, mail("x")), mailstore.AppendOptions{Keywords: []string{"$Junk", "beta", "Alpha", "BETA"}}); err != nil {
		t.Fatal(err)
	}
	sel := c.open(u, "INBOX")
	if got, want := sel.Keywords(), []string{"$Junk", "Alpha", "beta"}; !slices.Equal(got, want) {
		t.Errorf("Keywords = %q, want %q", got, want)
	}
	for _, bad := range []string{"", "a b", "a(b", "a\x00", "naïve", `a\b`, strings.Repeat("k", 256)} {
		if _, err := u.Append(c.ctx, "INBOX", c.stage(s, mail("x")), mailstore.AppendOptions{Keywords: []string{bad}}); !mailerr.Is(err, mailerr.Invalid) {
			t.Errorf("Append with keyword %q: %v", bad, err)
		}
		if _, err := sel.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: sel.AllUIDs(), Keywords: []string{bad}}); !mailerr.Is(err, mailerr.Invalid) {
			t.Errorf("StoreFlags with keyword %q: %v", bad, err)
		}
	}
}
