package metadatatest

import (
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// testQuotaGrace: a message may exceed the limits by its grace, and not by a byte more.
func testQuotaGrace(f *fixture) {
	u := f.user()
	one := item(u, u.inbox)
	size := one.Body.Size()
	f.must(f.s.SetQuota(f.ctx(), u.id, 10*size, 0))
	for i := range 13 {
		it := item(u, u.inbox)
		it.QuotaGrace = 10
		res := f.append(it)[0]
		switch {
		case i < 11:
			f.must(res.Err)
		default:
			f.wantKind(res.Err, mailerr.OverQuota)
		}
	}
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 12))
	for i, grace := range []int64{0, 0, 8, 9, 9} {
		it := item(u, u.inbox)
		it.QuotaGrace = grace
		res := f.append(it)[0]
		if full := i != 0 && i != 3; full { // the twelfth and, with nine percent of twelve, the thirteenth
			f.wantKind(res.Err, mailerr.OverQuota)
		} else {
			f.must(res.Err)
		}
	}
	Check(f.ctx(), f, f.s, u.id)
}

// testQuotaUse: what an account holds is told with each change, so that exactly one of them crosses a level.
func testQuotaUse(f *fixture) {
	u, other := f.user(), f.user()
	f.must(f.s.SetQuota(f.ctx(), u.id, 100_000, 10))
	res := f.append(item(u, u.inbox), item(u, u.trash), item(u, u.inbox))
	size := sizeOf(item(u, u.inbox))
	for i, r := range res {
		n := int64(i + 1)
		if r.Use == (metadata.Use{}) {
			continue // the answer to COMMIT was lost, and the message was there already
		}
		if want := (metadata.Use{Bytes: n * size, Messages: n, QuotaBytes: 100_000, QuotaMessages: 10}); r.Use != want {
			f.Errorf("message %d: %+v, want %+v", i, r.Use, want)
		}
		if p := r.Use.Percent(); p != 10*n {
			f.Errorf("message %d: %d percent", i, p)
		}
	}
	req := metadata.CopyRequest{Account: u.id, Source: u.inbox, UIDs: set(1, 2), DestAccount: u.id, Dest: u.trash, SaveDate: at}
	copied, err := f.s.Copy(f.ctx(), req)
	f.must(err)
	if copied.Use.Messages != 5 || copied.Bytes != 2*size || copied.Use.Without(2, copied.Bytes).Bytes != 3*size {
		f.Errorf("copy: %+v, %d bytes", copied.Use, copied.Bytes)
	}
	moved, err := f.s.Move(f.ctx(), req)
	f.must(err)
	if moved.Use != (metadata.Use{}) {
		f.Errorf("a move within the account: %+v", moved.Use)
	}
	req.Source, req.DestAccount, req.Dest, req.UIDs = u.trash, other.id, other.inbox, set(1, 9)
	moved, err = f.s.Move(f.ctx(), req)
	f.must(err)
	if moved.Use.Messages != 5 || moved.Use.QuotaBytes != 0 || moved.Bytes != 5*size {
		f.Errorf("a move to another account: %+v, %d bytes", moved.Use, moved.Bytes)
	}
	if (metadata.Use{Bytes: 1 << 62}).Percent() != 0 {
		f.Error("without limits something is full")
	}
}

func testRecount(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 5, func(i int, it *metadata.AppendItem) {
		if i%2 == 0 {
			it.Flags = metadata.FlagDeleted | metadata.FlagSeen
		}
	})
	drifts, err := f.s.Recount(f.ctx(), u.id)
	f.must(err)
	if len(drifts) != 0 {
		f.Errorf("drifts %+v", drifts)
	}
	size, err := f.s.DeletedBytes(f.ctx(), u.inbox)
	f.must(err)
	if want := 3 * sizeOf(item(u, u.inbox)); size != want {
		f.Errorf("%d bytes are deleted, want %d", size, want)
	}
	if size, err = f.s.DeletedBytes(f.ctx(), u.trash); err != nil || size != 0 {
		f.Errorf("%d bytes are deleted, %v", size, err)
	}
	_, err = f.s.Recount(f.ctx(), metadata.NewAccountID())
	f.wantKind(err, mailerr.NotFound)
	Check(f.ctx(), f, f.s, u.id)
}

func testDomainQuota(f *fixture) {
	domain := "q" + metadata.NewAccountID().String() + ".example"
	var users []user
	var accounts []metadata.NewAccount
	for range 3 {
		u, a := newUser()
		a.Address = u.id.String() + "@" + domain
		users, accounts = append(users, u), append(accounts, a)
	}
	_, err := f.s.CreateAccounts(f.ctx(), accounts)
	f.must(err)
	outside := f.user()
	look := func() (metadata.DomainQuota, []metadata.AccountID) {
		f.Helper()
		f.must(f.s.SumDomains(f.ctx()))
		all, err := f.s.DomainQuotas(f.ctx())
		f.must(err)
		over, err := f.s.AccountsOver(f.ctx())
		f.must(err)
		i := slices.IndexFunc(all, func(q metadata.DomainQuota) bool { return q.Domain == domain })
		if i < 0 {
			return metadata.DomainQuota{}, over
		}
		return all[i], over
	}
	size := sizeOf(item(users[0], users[0].inbox))
	f.must(f.s.SetDomainQuota(f.ctx(), domain, 3*size, 0))
	f.fill(users[0], users[0].inbox, 2, nil)
	f.fill(outside, outside.inbox, 9, nil)
	if q, over := look(); q.UsedBytes != 2*size || q.UsedMessages != 2 || q.Over || slices.Contains(over, users[0].id) {
		f.Errorf("below the limit: %+v", q)
	}
	f.fill(users[1], users[1].inbox, 1, nil)
	q, over := look()
	if !q.Over || q.UsedMessages != 3 {
		f.Errorf("at the limit: %+v", q)
	}
	for _, u := range users {
		if !slices.Contains(over, u.id) {
			f.Errorf("account %v is not over", u.id)
		}
	}
	if slices.Contains(over, outside.id) {
		f.Error("an account of another domain is over")
	}
	f.must(f.s.RemoveAccount(f.ctx(), users[1].id))
	if q, _ := look(); q.Over || q.UsedMessages != 2 {
		f.Errorf("after an account was removed: %+v", q)
	}
	f.must(f.s.SetDomainQuota(f.ctx(), domain, 0, 2))
	if q, _ := look(); !q.Over {
		f.Errorf("messages: %+v", q)
	}
	f.must(f.s.SetDomainQuota(f.ctx(), domain, 0, 0))
	if q, over := look(); q != (metadata.DomainQuota{}) || slices.Contains(over, users[0].id) {
		f.Errorf("without limits: %+v", q)
	}
	f.wantKind(f.s.SetDomainQuota(f.ctx(), domain, -1, 0), mailerr.Invalid)
}

func sizeOf(it metadata.AppendItem) int64 { return it.Body.Size() }
