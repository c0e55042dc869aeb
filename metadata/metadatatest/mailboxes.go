package metadatatest

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func (f *fixture) create(u user, name string) metadata.MailboxID {
	f.Helper()
	m, err := f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: name}, 0)
	f.must(err)
	return m.ID
}

func testCreateMailbox(f *fixture) {
	u := f.user()
	before, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	nm := metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "Ünï/日本", SpecialUse: "\\Sent", Subscribed: true}
	m, err := f.s.CreateMailbox(f.ctx(), u.id, nm, 3)
	f.must(err)
	if m.Name != nm.Name || m.ID != nm.ID || m.Account != u.id || m.UIDNext != 1 || m.HighestModSeq <= before.ModSeq || m.SpecialUse != "\\Sent" {
		f.Fatalf("mailbox %+v", m)
	}
	byName, err := f.s.Mailbox(f.ctx(), u.id, nm.Name)
	f.must(err)
	byID, err := f.s.MailboxByID(f.ctx(), nm.ID)
	f.must(err)
	if *byName != *m || *byID != *m {
		f.Fatalf("by name %+v, by id %+v, want %+v", byName, byID, m)
	}
	again, err := f.s.CreateMailbox(f.ctx(), u.id, nm, 3) // the same id: a repeated call
	f.must(err)
	if *again != *m {
		f.Fatalf("repeated %+v, want %+v", again, m)
	}
	subs, err := f.s.Subscriptions(f.ctx(), u.id)
	f.must(err)
	if !slices.Equal(subs, []string{"INBOX", nm.Name}) {
		f.Fatalf("subscriptions %q", subs)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testCreateMailboxRefused(f *fixture) {
	u := f.user()
	create := func(name string, limit int) error {
		_, err := f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: name}, limit)
		return err
	}
	f.wantKind(create("INBOX", 0), mailerr.Exists)
	f.wantKind(create("x", 2), mailerr.Limit)
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 5000)} {
		f.wantKind(create(name, 0), mailerr.Invalid)
	}
	f.must(create(strings.Repeat("日", 340), 0)) // 1020 bytes
	f.must(create("inbox", 0))                  // names are compared by bytes here
	_, err := f.s.Mailbox(f.ctx(), u.id, "nothing")
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.Mailbox(f.ctx(), u.id, "\x00")
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.MailboxByID(f.ctx(), metadata.NewMailboxID())
	f.wantKind(err, mailerr.NotFound)
}

func testUIDValidityRises(f *fixture) {
	u := f.user()
	var last metadata.UIDValidity
	for range 5 { // within one second
		id := f.create(u, "again")
		m, err := f.s.MailboxByID(f.ctx(), id)
		f.must(err)
		if m.UIDValidity <= last {
			f.Fatalf("UIDVALIDITY %d after %d", m.UIDValidity, last)
		}
		last = m.UIDValidity
		f.must(f.s.DeleteMailbox(f.ctx(), u.id, id))
	}
}

func testMailboxesInByteOrder(f *fixture) {
	u := f.user()
	want := []string{"INBOX", "Trash"}
	for _, n := range []string{"a", "B", "a/b", "a b", "a-b", "é", "z", "_", "日本", "A"} {
		f.create(u, n)
		want = append(want, n)
	}
	sort.Strings(want)
	boxes, err := f.s.Mailboxes(f.ctx(), u.id)
	f.must(err)
	var got []string
	for _, b := range boxes {
		got = append(got, b.Name)
	}
	if !slices.Equal(got, want) {
		f.Fatalf("mailboxes %q, want %q", got, want)
	}
	boxes, err = f.s.Mailboxes(f.ctx(), metadata.NewAccountID())
	f.must(err)
	if len(boxes) != 0 {
		f.Fatalf("mailboxes of nobody: %v", boxes)
	}
}

func testDeleteMailbox(f *fixture) {
	u := f.user()
	parent, child := f.create(u, "a"), f.create(u, "a/b")
	f.fill(u, parent, 25, nil)
	f.fill(u, child, 2, nil)
	f.wantKind(f.s.DeleteMailbox(f.ctx(), f.user().id, parent), mailerr.NotFound) // somebody else's
	f.must(f.s.DeleteMailbox(f.ctx(), u.id, parent))
	f.wantKind(f.s.DeleteMailbox(f.ctx(), u.id, parent), mailerr.NotFound)
	_, _, err := f.s.LoadMailbox(f.ctx(), parent)
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.ChangesSince(f.ctx(), parent, 0)
	f.wantKind(err, mailerr.NotFound)
	res, err := f.s.Append(f.ctx(), batch(item(u, parent)))
	f.must(err)
	f.wantKind(res[0].Err, mailerr.NotFound)
	_, err = f.s.StoreFlags(f.ctx(), metadata.StoreFlags{Account: u.id, Mailbox: parent, UIDs: set(1, 2), Flags: 1})
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: parent})
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.ClaimRecent(f.ctx(), parent)
	f.wantKind(err, mailerr.NotFound)
	if _, msgs := f.load(child); len(msgs) != 2 {
		f.Fatalf("%d messages left in the mailbox below", len(msgs))
	}
	Check(f.ctx(), f, f.s, u.id)
	f.create(u, "a")
	Check(f.ctx(), f, f.s, u.id)
	if n, err := f.s.FinishDeletions(f.ctx()); err != nil || n != 0 {
		f.Fatalf("%d deletions were left: %v", n, err)
	}
}

func testRenameMailboxes(f *fixture) {
	u := f.user()
	a, ab, c := f.create(u, "a"), f.create(u, "a/b"), f.create(u, "c")
	f.fill(u, a, 3, nil)
	before, _ := f.load(a)
	rename := func(rs ...metadata.Rename) { f.Helper(); f.must(f.s.RenameMailboxes(f.ctx(), u.id, rs)) }
	names := func() string {
		boxes, err := f.s.Mailboxes(f.ctx(), u.id)
		f.must(err)
		var s []string
		for _, b := range boxes {
			s = append(s, fmt.Sprintf("%s=%d", b.Name, slices.Index([]metadata.MailboxID{u.inbox, u.trash, a, ab, c}, b.ID)))
		}
		return strings.Join(s, " ")
	}
	want := func(w string) {
		f.Helper()
		if got := names(); got != w {
			f.Fatalf("mailboxes %s, want %s", got, w)
		}
	}
	rename(metadata.Rename{ID: a, From: "a", To: "x"}, metadata.Rename{ID: ab, From: "a/b", To: "x/b"})
	want("INBOX=0 Trash=1 c=4 x=2 x/b=3")
	after, _ := f.load(a)
	if after.UIDValidity != before.UIDValidity || after.HighestModSeq <= before.HighestModSeq || after.Messages != 3 || after.UIDNext != before.UIDNext {
		f.Fatalf("mailbox %+v, was %+v", after, before)
	}
	rename(metadata.Rename{ID: a, From: "x", To: "c"}, metadata.Rename{ID: c, From: "c", To: "x"}) // they swap
	want("INBOX=0 Trash=1 c=2 x=4 x/b=3")
	rename(metadata.Rename{ID: c, From: "x", To: "x/b"}, metadata.Rename{ID: ab, From: "x/b", To: "x/b/b"}) // into itself
	want("INBOX=0 Trash=1 c=2 x/b=4 x/b/b=3")
	rename(metadata.Rename{ID: a, From: "c", To: "c"})
	want("INBOX=0 Trash=1 c=2 x/b=4 x/b/b=3")
	f.must(f.s.RenameMailboxes(f.ctx(), u.id, nil))
	Check(f.ctx(), f, f.s, u.id)
}

func testRenameMailboxesRefused(f *fixture) {
	u := f.user()
	a, b := f.create(u, "a"), f.create(u, "b")
	for _, c := range []struct {
		kind    mailerr.Kind
		renames []metadata.Rename
	}{
		{mailerr.Exists, []metadata.Rename{{ID: a, From: "a", To: "b"}}},
		{mailerr.Exists, []metadata.Rename{{ID: a, From: "a", To: "x"}, {ID: b, From: "b", To: "x"}}},
		{mailerr.Exists, []metadata.Rename{{ID: b, From: "b", To: "new"}, {ID: a, From: "a", To: "Trash"}}},
		{mailerr.NotFound, []metadata.Rename{{ID: b, From: "b", To: "new"}, {ID: a, From: "gone", To: "x"}}},
		{mailerr.NotFound, []metadata.Rename{{ID: metadata.NewMailboxID(), From: "a", To: "x"}}},
		{mailerr.Invalid, []metadata.Rename{{ID: a, From: "a", To: "x\x00"}}},
	} {
		f.wantKind(f.s.RenameMailboxes(f.ctx(), u.id, c.renames), c.kind)
	}
	f.wantKind(f.s.RenameMailboxes(f.ctx(), f.user().id, []metadata.Rename{{ID: a, From: "a", To: "x"}}), mailerr.NotFound)
	for id, name := range map[metadata.MailboxID]string{a: "a", b: "b"} {
		m, err := f.s.MailboxByID(f.ctx(), id)
		f.must(err)
		if m.Name != name {
			f.Fatalf("%s is called %s", name, m.Name)
		}
	}
}

func testClaimRecent(f *fixture) {
	u := f.user()
	claim := func(want metadata.UID) {
		f.Helper()
		was, err := f.s.ClaimRecent(f.ctx(), u.inbox)
		f.must(err)
		if was != want {
			f.Fatalf("recent from %d, want %d", was, want)
		}
	}
	claim(1)
	f.fill(u, u.inbox, 3, nil)
	claim(1)
	claim(4)
	f.fill(u, u.inbox, 1, nil)
	box, _ := f.load(u.inbox)
	if box.FirstRecent != 4 {
		f.Fatalf("FirstRecent %d", box.FirstRecent)
	}
	claim(4)
	claim(5)
	_, err := f.s.ClaimRecent(f.ctx(), metadata.NewMailboxID())
	f.wantKind(err, mailerr.NotFound)
}

func testModSeqs(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 1, nil)
	ids := []metadata.MailboxID{u.inbox, u.trash, u.inbox}
	for range 2500 { // more than one statement
		ids = append(ids, metadata.NewMailboxID())
	}
	got, err := f.s.ModSeqs(f.ctx(), ids)
	f.must(err)
	inbox, _ := f.load(u.inbox)
	trash, _ := f.load(u.trash)
	if len(got) != 2 || got[u.inbox] != inbox.HighestModSeq || got[u.trash] != trash.HighestModSeq {
		f.Fatalf("MODSEQs %v", got)
	}
	got, err = f.s.ModSeqs(f.ctx(), nil)
	f.must(err)
	if len(got) != 0 {
		f.Fatalf("MODSEQs %v", got)
	}
}

func testSubscriptions(f *fixture) {
	u := f.user()
	f.must(f.s.Subscribe(f.ctx(), u.id, "z", "a", "B", "INBOX", "é"))
	f.must(f.s.Subscribe(f.ctx(), u.id, "a"))
	f.must(f.s.Subscribe(f.ctx(), u.id))
	f.must(f.s.Unsubscribe(f.ctx(), u.id, "z", "never", "\x00"))
	f.must(f.s.Unsubscribe(f.ctx(), u.id))
	got, err := f.s.Subscriptions(f.ctx(), u.id)
	f.must(err)
	if !slices.Equal(got, []string{"B", "INBOX", "a", "é"}) {
		f.Fatalf("subscriptions %q", got)
	}
	f.wantKind(f.s.Subscribe(f.ctx(), u.id, "ok", "a\x00"), mailerr.Invalid)
}
