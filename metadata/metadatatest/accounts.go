package metadatatest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testMigrate(f *fixture) {
	f.must(f.s.Migrate(f.ctx()))
	have, want, err := f.s.SchemaVersion(f.ctx())
	f.must(err)
	if have != want || want == 0 {
		f.Fatalf("schema version %d, want %d", have, want)
	}
	f.must(f.s.Ping(f.ctx()))
}

func testCreateAccounts(f *fixture) {
	u, a := newUser()
	a.QuotaBytes, a.QuotaMessages = 5000, 7
	same, b := newUser()
	b.Address = u.address
	other, c := newUser()
	errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a, b, c})
	f.must(err)
	f.must(errs[0])
	f.wantKind(errs[1], mailerr.Exists)
	f.must(errs[2])

	got, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	if got.Address != u.address || got.PasswordHash != a.PasswordHash || got.QuotaBytes != 5000 || got.QuotaMessages != 7 ||
		got.UsedBytes != 0 || got.UsedMessages != 0 || got.ModSeq == 0 || got.Disabled || got.Created.IsZero() {
		f.Fatalf("account %+v", got)
	}
	_, err = f.s.Account(f.ctx(), same.id)
	f.wantKind(err, mailerr.NotFound)
	boxes, err := f.s.Mailboxes(f.ctx(), other.id)
	f.must(err)
	if len(boxes) != 2 || boxes[0].Name != "INBOX" || boxes[1].Name != "Trash" || boxes[1].SpecialUse != "\\Trash" {
		f.Fatalf("mailboxes %+v", boxes)
	}
	for _, b := range boxes {
		if b.UIDNext != 1 || b.HighestModSeq == 0 || b.UIDValidity == 0 || b.FirstRecent != 1 || b.Account != other.id {
			f.Fatalf("new mailbox %+v", b)
		}
	}
	subs, err := f.s.Subscriptions(f.ctx(), u.id)
	f.must(err)
	if len(subs) != 1 || subs[0] != "INBOX" {
		f.Fatalf("subscriptions %q", subs)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testCreateAccountsRepeated(f *fixture) {
	_, a := newUser()
	for range 2 {
		errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a})
		f.must(err)
		f.must(errs[0])
	}
	a.ID = metadata.NewAccountID()
	errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a})
	f.must(err)
	f.wantKind(errs[0], mailerr.Exists)
}

func testCreateAccountsTakenByAlias(f *fixture) {
	u, a := newUser()
	f.must(f.s.SetAlias(f.ctx(), metadata.Alias{Address: u.address, Targets: []string{"x@example.org"}}))
	bad, b := newUser()
	b.Address = "nul\x00@example.org"
	errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a, b})
	f.must(err)
	f.wantKind(errs[0], mailerr.Exists)
	f.wantKind(errs[1], mailerr.Invalid)
	_, err = f.s.Account(f.ctx(), bad.id)
	f.wantKind(err, mailerr.NotFound)
}

func testManyAccounts(f *fixture) {
	const n = 1500
	accounts := make([]metadata.NewAccount, n)
	for i := range accounts {
		_, accounts[i] = newUser()
	}
	errs, err := f.s.CreateAccounts(f.ctx(), accounts)
	f.must(err)
	for i := range errs {
		f.must(errs[i])
	}
	addresses := make([]string, n)
	for i := range accounts {
		addresses[i] = accounts[i].Address
	}
	found, err := f.s.LookupAddresses(f.ctx(), addresses)
	f.must(err)
	for i := range accounts {
		if a := found[addresses[i]].Account; a == nil || a.ID != accounts[i].ID {
			f.Fatalf("%s leads to %+v", addresses[i], found[addresses[i]])
		}
	}
}

func testAccountsInOrder(f *fixture) {
	prefix := "order" + metadata.NewAccountID().String()
	var want []string
	// Byte order, whatever the database's locale.
	for _, local := range []string{"a", "B", "Z", "_", "ab", "é", "z-", "z.a", "za"} {
		_, a := newUser()
		a.Address = prefix + local + "@example.org"
		errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a})
		f.must(err)
		f.must(errs[0])
		want = append(want, a.Address)
	}
	f.must(f.s.SetAlias(f.ctx(), metadata.Alias{Address: prefix + "alias@example.org", Targets: []string{want[0]}}))
	sort.Strings(want)
	var got []string
	for after := prefix; ; {
		page, err := f.s.Accounts(f.ctx(), after, 2)
		f.must(err)
		for _, a := range page {
			if strings.HasPrefix(a.Address, prefix) {
				got = append(got, a.Address)
			}
		}
		if len(page) < 2 || !strings.HasPrefix(page[1].Address, prefix) {
			break
		}
		after = page[1].Address
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		f.Fatalf("accounts %q, want %q", got, want)
	}
}

func testSetPasswordHashAndQuota(f *fixture) {
	u := f.user()
	f.must(f.s.SetPasswordHash(f.ctx(), u.id, "{X}new"))
	f.must(f.s.SetPasswordHash(f.ctx(), u.id, "{X}new")) // nothing changes, and it is there
	f.must(f.s.SetQuota(f.ctx(), u.id, 10, 20))
	a, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	if a.PasswordHash != "{X}new" || a.QuotaBytes != 10 || a.QuotaMessages != 20 {
		f.Fatalf("account %+v", a)
	}
	f.wantKind(f.s.SetPasswordHash(f.ctx(), metadata.NewAccountID(), "x"), mailerr.NotFound)
	f.wantKind(f.s.SetQuota(f.ctx(), metadata.NewAccountID(), 1, 1), mailerr.NotFound)
}

func testRemoveAccount(f *fixture) {
	u, keep := f.user(), f.user()
	f.fill(u, u.inbox, 30, nil)
	f.fill(keep, keep.inbox, 3, nil)
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	_, err := f.s.Account(f.ctx(), u.id)
	f.wantKind(err, mailerr.NotFound)
	_, _, err = f.s.LoadMailbox(f.ctx(), u.inbox)
	f.wantKind(err, mailerr.NotFound)
	found, err := f.s.LookupAddresses(f.ctx(), []string{u.address})
	f.must(err)
	if len(found) != 0 {
		f.Fatalf("address leads to %+v", found)
	}
	subs, err := f.s.Subscriptions(f.ctx(), u.id)
	f.must(err)
	if len(subs) != 0 {
		f.Fatalf("subscriptions %q", subs)
	}
	f.wantKind(f.s.RemoveAccount(f.ctx(), u.id), mailerr.NotFound)
	res, err := f.s.Append(f.ctx(), batch(item(u, u.inbox), item(keep, keep.inbox)))
	f.must(err)
	f.wantKind(res[0].Err, mailerr.NotFound)
	f.must(res[1].Err)
	_, err = f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: "x"}, 0)
	f.wantKind(err, mailerr.NotFound)
	f.wantKind(f.s.Subscribe(f.ctx(), u.id, "x"), mailerr.NotFound)
	Check(f.ctx(), f, f.s, keep.id)

	again, a := newUser() // the address is free again
	a.Address = u.address
	errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a})
	f.must(err)
	f.must(errs[0])
	Check(f.ctx(), f, f.s, again.id)
}

func testAliases(f *fixture) {
	u := f.user()
	address := "alias" + u.address
	f.must(f.s.SetAlias(f.ctx(), metadata.Alias{Address: address, Targets: []string{u.address}}))
	f.must(f.s.SetAlias(f.ctx(), metadata.Alias{Address: address, Targets: []string{u.address, "b@example.org"}}))
	f.wantKind(f.s.SetAlias(f.ctx(), metadata.Alias{Address: u.address, Targets: []string{"x@y"}}), mailerr.Exists)
	f.wantKind(f.s.SetAlias(f.ctx(), metadata.Alias{Address: address}), mailerr.Invalid)
	f.wantKind(f.s.SetAlias(f.ctx(), metadata.Alias{Address: address, Targets: []string{"a\nb"}}), mailerr.Invalid)
	page, err := f.s.Aliases(f.ctx(), address[:len(address)-1], 1)
	f.must(err)
	if len(page) != 1 || page[0].Address != address || fmt.Sprint(page[0].Targets) != fmt.Sprint([]string{u.address, "b@example.org"}) {
		f.Fatalf("aliases %+v", page)
	}
	f.wantKind(f.s.RemoveAlias(f.ctx(), u.address), mailerr.NotFound)
	f.must(f.s.RemoveAlias(f.ctx(), address))
	f.wantKind(f.s.RemoveAlias(f.ctx(), address), mailerr.NotFound)
	f.wantKind(f.s.RemoveAlias(f.ctx(), "\x00"), mailerr.NotFound)
}

func testLookupAddresses(f *fixture) {
	u := f.user()
	f.must(f.s.SetQuota(f.ctx(), u.id, 10, 20))
	alias := "list" + u.address
	f.must(f.s.SetAlias(f.ctx(), metadata.Alias{Address: alias, Targets: []string{u.address, "b@example.org"}}))
	found, err := f.s.LookupAddresses(f.ctx(), []string{u.address, alias, u.address, "nobody@example.org", "\x00", "\xff", strings.Repeat("x", 5000)})
	f.must(err)
	if len(found) != 2 {
		f.Fatalf("found %+v", found)
	}
	a, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	if got := found[u.address]; got.Account == nil || *got.Account != *a || got.Targets != nil {
		f.Fatalf("account %+v, want %+v", got.Account, a)
	}
	if got := found[alias]; got.Account != nil || fmt.Sprint(got.Targets) != fmt.Sprint([]string{u.address, "b@example.org"}) {
		f.Fatalf("alias %+v", got)
	}
	found, err = f.s.LookupAddresses(f.ctx(), nil)
	f.must(err)
	if found == nil || len(found) != 0 {
		f.Fatalf("found %v", found)
	}
}
