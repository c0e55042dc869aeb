package metadatatest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func grant(grantee, rights string) metadata.ACLChange {
	r, err := metadata.ParseRights(rights)
	if err != nil {
		panic(err)
	}
	return metadata.ACLChange{Grantee: grantee, Rights: r}
}

func deny(grantee, rights string) metadata.ACLChange {
	c := grant(grantee, rights)
	c.Denies = true
	return c
}

func (f *fixture) setACL(u user, box metadata.MailboxID, changes ...metadata.ACLChange) {
	f.Helper()
	for _, c := range changes {
		f.must(f.s.SetACL(f.ctx(), u.id, box, c))
	}
}

// aclText is an ACL for comparison by eye.
func aclText(acl metadata.ACL) string {
	var parts []string
	for _, e := range acl {
		sign := ""
		if e.Denies {
			sign = "-"
		}
		parts = append(parts, sign+e.Grantee+" "+e.Rights.String())
	}
	return strings.Join(parts, ", ")
}

func (f *fixture) wantACL(box metadata.MailboxID, want string) {
	f.Helper()
	acl, err := f.s.ACL(f.ctx(), box)
	f.must(err)
	if got := aclText(acl); got != want {
		f.Fatalf("the ACL is %q, want %q", got, want)
	}
}

func testACL(f *fixture) {
	u := f.user()
	f.wantACL(u.inbox, "")
	f.setACL(u, u.inbox, grant("b@example.org", "lr"), grant("a@example.org", "lrs"), deny("a@example.org", "s"), grant("@example.org", "p"))
	f.wantACL(u.inbox, "@example.org p, a@example.org lrs, -a@example.org s, b@example.org lr")
	f.wantACL(u.trash, "")

	add, remove := grant("b@example.org", "it"), grant("b@example.org", "l")
	add.Op, remove.Op = metadata.RightsAdd, metadata.RightsRemove
	for range 2 { // doing it twice is doing it once
		f.setACL(u, u.inbox, add)
		f.setACL(u, u.inbox, remove)
	}
	f.setACL(u, u.inbox, grant("a@example.org", ""), grant("nobody@example.org", ""))
	f.wantACL(u.inbox, "@example.org p, -a@example.org s, b@example.org ritd")

	f.wantKind(f.s.SetACL(f.ctx(), u.id, metadata.NewMailboxID(), grant("a@example.org", "l")), mailerr.NotFound)
	f.wantKind(f.s.SetACL(f.ctx(), f.user().id, u.inbox, grant("a@example.org", "l")), mailerr.NotFound)
	f.wantKind(f.s.SetACL(f.ctx(), u.id, u.inbox, grant("", "l")), mailerr.Invalid)
	f.wantKind(f.s.SetACL(f.ctx(), u.id, u.inbox, metadata.ACLChange{Grantee: "a@example.org", Rights: metadata.AllRights + 1}), mailerr.Invalid)

	f.must(f.s.RenameMailboxes(f.ctx(), u.id, []metadata.Rename{{ID: u.trash, From: "Trash", To: "Bin"}}))
	f.setACL(u, u.trash, grant("b@example.org", "l"))
	f.must(f.s.DeleteMailbox(f.ctx(), u.id, u.trash))
	f.wantACL(u.trash, "")
}

func testACLLimit(f *fixture) {
	u := f.user()
	for i := range metadata.MaxACLEntries {
		f.setACL(u, u.inbox, grant(fmt.Sprintf("u%d@example.org", i), "l"))
	}
	f.wantKind(f.s.SetACL(f.ctx(), u.id, u.inbox, grant("more@example.org", "l")), mailerr.Limit)
	f.setACL(u, u.inbox, grant("u7@example.org", "lr"), grant("u8@example.org", ""), grant("more@example.org", "l"))
}

func testACLInherited(f *fixture) {
	u := f.user()
	create := func(name, parent string) metadata.MailboxID {
		m, err := f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: name, Parent: parent}, 0)
		f.must(err)
		return m.ID
	}
	f.setACL(u, u.inbox, grant("i@example.org", "l"))
	a := create("a", "")
	f.wantACL(a, "")
	f.setACL(u, a, grant("a@example.org", "lr"), deny("x@example.org", "r"))
	f.wantACL(create("a/b/c", "INBOX"), "a@example.org lr, -x@example.org r") // the nearest that is there
	f.wantACL(create("ab/c", ""), "")
	f.wantACL(create("top", "INBOX"), "i@example.org l")
	b := create("a/b", "")
	f.setACL(u, b, grant("a@example.org", "lrs"))
	f.wantACL(create("a/b/d", "INBOX"), "a@example.org lrs, -x@example.org r")
	f.wantACL(a, "a@example.org lr, -x@example.org r")
}

func testMailboxesOf(f *fixture) {
	u, other := f.user(), f.user()
	f.setACL(u, u.inbox, grant("a@example.org", "lr"))
	f.setACL(other, other.inbox, grant("b@example.org", "lr"))
	look := func(owner string, names ...string) string {
		f.Helper()
		boxes, err := f.s.MailboxesOf(f.ctx(), owner, names)
		f.must(err)
		var got []string
		for _, b := range boxes {
			got = append(got, b.Name+": "+aclText(b.ACL))
		}
		slices.Sort(got)
		return strings.Join(got, "; ")
	}
	for want, got := range map[string]string{
		"INBOX: a@example.org lr; Trash: ": look(u.address, "Trash", "INBOX", "nothing"),
		"INBOX: b@example.org lr":          look(other.address, "INBOX"),
		"":                                 look("nobody@example.org", "INBOX") + look(u.address) + look(u.address, "x\x00"),
	} {
		if got != want {
			f.Errorf("got %q, want %q", got, want)
		}
	}
	domain := "d" + u.id.String() + ".example"
	if got := look("@"+domain, "INBOX"); got != "" {
		f.Errorf("a domain without a shared account has %q", got)
	}
	post := func(name, want string) {
		f.Helper()
		m, serves, err := f.s.MailboxForPost(f.ctx(), u.id, name)
		f.must(err)
		if got := m.Name + " in " + serves + ": " + aclText(m.ACL); got != want {
			f.Errorf("for post there is %q, want %q", got, want)
		}
	}
	post("INBOX", "INBOX in : a@example.org lr")
	_, _, err := f.s.MailboxForPost(f.ctx(), u.id, "nothing")
	f.wantKind(err, mailerr.NotFound)
	f.must(f.s.SetSharedAccount(f.ctx(), domain, u.id))
	post("Trash", "Trash in "+domain+": ")
	if got := look("@"+domain, "INBOX"); got != "INBOX: a@example.org lr" {
		f.Errorf("the shared account has %q", got)
	}
}

func testSharedWith(f *fixture) {
	u, other, shared := f.user(), f.user(), f.user()
	me, all := "me"+u.id.String()+"@example.org", "@"+u.id.String()
	domain := "d" + u.id.String() + ".example"
	f.must(f.s.SetSharedAccount(f.ctx(), domain, shared.id))
	f.setACL(u, u.inbox, grant(me, "lr"), grant("x@example.org", "a"), deny(all, "r"))
	f.setACL(u, u.trash, deny(me, "lr"))
	f.setACL(other, other.trash, grant(all, "l"))
	f.setACL(shared, shared.inbox, grant(me, "p"), grant(all, "l"))
	look := func(limit int, grantees ...string) []string {
		f.Helper()
		boxes, err := f.s.SharedWith(f.ctx(), grantees, limit)
		f.must(err)
		var got []string
		for _, b := range boxes {
			got = append(got, b.Owner+"/"+b.Name+" in "+b.Domain+": "+aclText(b.ACL))
		}
		slices.Sort(got)
		return got
	}
	want := []string{
		u.address + "/INBOX in : -" + all + " r, " + me + " lr",
		other.address + "/Trash in : " + all + " l",
		shared.address + "/INBOX in " + domain + ": " + all + " l, " + me + " p",
	}
	slices.Sort(want)
	if got := look(100, me, all, ""); !slices.Equal(got, want) {
		f.Errorf("shared are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := look(100, "stranger@example.org"); len(got) != 0 {
		f.Errorf("a stranger sees %v", got)
	}
	if got := look(100); len(got) != 0 {
		f.Errorf("nobody sees %v", got)
	}
	for limit := range 7 {
		for _, line := range look(limit, me, all) {
			if !slices.Contains(want, line) {
				f.Errorf("with limit %d a mailbox has only some of its entries: %s", limit, line)
			}
		}
	}

	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	if got := look(100, me); len(got) != 1 {
		f.Errorf("after an owner was removed: %v", got)
	}
}

// testACLOfRemovedAccount: who gets the address of a removed account gets nothing of what was shared with it.
func testACLOfRemovedAccount(f *fixture) {
	u, gone := f.user(), f.user()
	f.setACL(u, u.inbox, grant(gone.address, "lr"), deny(gone.address, "s"))
	f.setACL(gone, gone.inbox, grant(u.address, "lr"))
	f.must(f.s.RemoveAccount(f.ctx(), gone.id))
	f.wantACL(u.inbox, "")
	f.wantACL(gone.inbox, "")
}

func testSharedAccounts(f *fixture) {
	u, other := f.user(), f.user()
	domain := "d" + u.id.String() + ".example"
	for range 2 {
		f.must(f.s.SetSharedAccount(f.ctx(), domain, u.id))
	}
	f.wantKind(f.s.SetSharedAccount(f.ctx(), domain, other.id), mailerr.Exists)
	f.wantKind(f.s.SetSharedAccount(f.ctx(), "other"+domain, u.id), mailerr.Exists)
	f.wantKind(f.s.SetSharedAccount(f.ctx(), "other"+domain, metadata.NewAccountID()), mailerr.NotFound)
	find := func() int {
		all, err := f.s.SharedAccounts(f.ctx())
		f.must(err)
		return slices.Index(all, metadata.SharedAccount{Domain: domain, Account: u.id, Address: u.address})
	}
	if find() < 0 {
		f.Error("the shared account is not listed")
	}
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	if find() >= 0 {
		f.Error("the removed shared account is listed")
	}
	f.must(f.s.SetSharedAccount(f.ctx(), domain, other.id))
}

func testCopyDropsFlags(f *fixture) {
	u, other := f.user(), f.user()
	f.fill(u, u.inbox, 3, func(_ int, it *metadata.AppendItem) {
		it.Flags, it.Keywords = metadata.FlagSeen|metadata.FlagDeleted|metadata.FlagDraft, "$Forwarded"
	})
	req := metadata.CopyRequest{
		Account: u.id, Source: u.inbox, UIDs: set(1, 2), DestAccount: other.id, Dest: other.inbox, SaveDate: at,
		DropFlags: metadata.FlagSeen | metadata.FlagDeleted, DropKeywords: true,
	}
	_, err := f.s.Copy(f.ctx(), req)
	f.must(err)
	req.UIDs, req.DropFlags, req.DropKeywords = set(3, 3), metadata.FlagDraft, false
	_, err = f.s.Move(f.ctx(), req)
	f.must(err)
	_, msgs := f.load(other.inbox)
	for i, want := range []struct {
		flags    metadata.Flags
		keywords string
	}{{metadata.FlagDraft, ""}, {metadata.FlagDraft, ""}, {metadata.FlagSeen | metadata.FlagDeleted, "$Forwarded"}} {
		if msgs[i].Flags != want.flags || msgs[i].Keywords != want.keywords {
			f.Errorf("copy %d: %s", i, text(msgs[i]))
		}
	}
	Check(f.ctx(), f, f.s, u.id)
	Check(f.ctx(), f, f.s, other.id)
}

func testStoreFlagsKeeps(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 2, func(_ int, it *metadata.AppendItem) {
		it.Flags, it.Keywords = metadata.FlagSeen|metadata.FlagDraft, "a"
	})
	res, err := f.s.StoreFlags(f.ctx(), metadata.StoreFlags{
		Account: u.id, Mailbox: u.inbox, UIDs: set(1, 1), Op: metadata.FlagsReplace, Flags: metadata.FlagDeleted | metadata.FlagFlagged,
		KeepFlags: metadata.FlagSeen | metadata.FlagDeleted, KeepKeywords: true,
	})
	f.must(err)
	if len(res.Changed) != 1 || res.Changed[0].Flags != metadata.FlagSeen|metadata.FlagFlagged || res.Changed[0].Keywords != "a" {
		f.Errorf("changed %v", res.Changed)
	}
	res, err = f.s.StoreFlags(f.ctx(), metadata.StoreFlags{
		Account: u.id, Mailbox: u.inbox, UIDs: set(2, 2), Op: metadata.FlagsRemove, Flags: metadata.FlagSeen, KeepFlags: metadata.FlagSeen,
	})
	f.must(err)
	if len(res.Changed) != 0 || len(res.Same) != 1 {
		f.Errorf("changed %v, same %v", res.Changed, res.Same)
	}
	Check(f.ctx(), f, f.s, u.id)
}
