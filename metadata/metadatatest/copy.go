package metadatatest

import (
	"slices"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// saved is the save date of copies.
var saved = at.Add(time.Hour)

func (f *fixture) copyRequest(u user, from metadata.MailboxID, uids metadata.UIDSet, to metadata.MailboxID) metadata.CopyRequest {
	return metadata.CopyRequest{Account: u.id, Source: from, UIDs: uids, DestAccount: u.id, Dest: to, SaveDate: saved}
}

// wantCopies proves that the copies are as their sources were, under new UIDs.
func (f *fixture) wantCopies(before []metadata.Message, res *metadata.CopyResult, dest metadata.MailboxID) {
	f.Helper()
	box, msgs := f.load(dest)
	if res.UIDValidity != box.UIDValidity || len(res.Source) != len(res.Dest) {
		f.Fatalf("result %+v", res)
	}
	at := func(msgs []metadata.Message, uid metadata.UID) metadata.Message {
		i, ok := slices.BinarySearchFunc(msgs, uid, func(m metadata.Message, u metadata.UID) int { return int(m.UID) - int(u) })
		if !ok {
			f.Fatalf("no message %d", uid)
		}
		return msgs[i]
	}
	for i := range res.Source {
		want := at(before, res.Source[i])
		want.UID, want.ModSeq, want.SaveDate = res.Dest[i], res.DestModSeq, saved
		if got := at(msgs, res.Dest[i]); got != want {
			f.Fatalf("copy of %d: %+v, want %+v", res.Source[i], got, want)
		}
		if i > 0 && (res.Dest[i] != res.Dest[i-1]+1 || res.Source[i] <= res.Source[i-1]) {
			f.Fatalf("UIDs %v to %v", res.Source, res.Dest)
		}
	}
}

func testCopy(f *fixture) {
	u := f.user()
	f.fill(u, u.trash, 2, nil)
	f.fill(u, u.inbox, 6, func(i int, it *metadata.AppendItem) {
		it.Flags, it.InternalDate = metadata.Flags(i), at.Add(-time.Duration(i)*time.Hour)
		it.Keywords = "k"
	})
	inbox, before := f.load(u.inbox)
	res, err := f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, set(2, 4, 6, 9), u.trash))
	f.must(err)
	if !slices.Equal(res.Source, []metadata.UID{2, 3, 4, 6}) || !slices.Equal(res.Dest, []metadata.UID{3, 4, 5, 6}) {
		f.Fatalf("copied %v to %v", res.Source, res.Dest)
	}
	f.wantCopies(before, res, u.trash)
	if after, msgs := f.load(u.inbox); *after != *inbox || !slices.Equal(msgs, before) {
		f.Fatal("the source changed")
	}
	empty, err := f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, set(100, 200), u.trash))
	f.must(err)
	if len(empty.Source) != 0 || empty.DestModSeq != res.DestModSeq || empty.UIDValidity != res.UIDValidity {
		f.Fatalf("copy of nothing: %+v", empty)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testCopyToItself(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 150, nil)
	_, before := f.load(u.inbox)
	res, err := f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, nil, u.inbox))
	f.must(err)
	if len(res.Source) != 150 || res.Dest[0] != 151 {
		f.Fatalf("result %+v", res)
	}
	f.wantCopies(before, res, u.inbox)
	Check(f.ctx(), f, f.s, u.id)
}

func testCopyToAnotherAccount(f *fixture) {
	u, other := f.user(), f.user()
	f.fill(u, u.inbox, 100, nil)
	_, before := f.load(u.inbox)
	req := f.copyRequest(u, u.inbox, set(1, 10), other.inbox)
	req.DestAccount = other.id
	for range 2 { // the second time the bodies are there
		res, err := f.s.Copy(f.ctx(), req)
		f.must(err)
		f.wantCopies(before, res, other.inbox)
	}
	req.UIDs = set(5, 100)
	res, err := f.s.Copy(f.ctx(), req)
	f.must(err)
	f.wantCopies(before, res, other.inbox)
	bodies, err := f.s.Bodies(f.ctx(), u.id, []metadata.BodyID{before[0].Body})
	f.must(err)
	theirs, err := f.s.Bodies(f.ctx(), other.id, []metadata.BodyID{before[0].Body})
	f.must(err)
	theirs[0].Account = u.id
	if !sameBody(bodies[0], theirs[0]) {
		f.Fatalf("body %+v, want %+v", theirs[0], bodies[0])
	}
	Check(f.ctx(), f, f.s, u.id)
	Check(f.ctx(), f, f.s, other.id)
}

func testCopyRefused(f *fixture) {
	u, other := f.user(), f.user()
	f.fill(u, u.inbox, 4, nil)
	_, err := f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, set(1, 1), metadata.NewMailboxID()))
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.Copy(f.ctx(), f.copyRequest(u, metadata.NewMailboxID(), set(1, 1), u.inbox))
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, set(1, 1), other.inbox)) // named under the wrong account
	f.wantKind(err, mailerr.NotFound)
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 6))
	_, err = f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, set(1, 3), u.trash))
	f.wantKind(err, mailerr.OverQuota)
	if box, _ := f.load(u.trash); box.Messages != 0 {
		f.Fatal("some were copied")
	}
	_, err = f.s.Move(f.ctx(), f.copyRequest(u, u.inbox, set(1, 3), u.trash)) // needs no room
	f.must(err)
	req := f.copyRequest(u, u.trash, nil, u.inbox)
	req.IgnoreQuota = true
	_, err = f.s.Copy(f.ctx(), req)
	f.must(err)
	Check(f.ctx(), f, f.s, u.id)
}

func testCopyLarge(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 2500, nil)
	_, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: set(7, 7, 500, 520, 1000, 1000)})
	f.must(err)
	_, before := f.load(u.inbox)
	var odd metadata.UIDSet
	for uid := metadata.UID(1); uid <= 2500; uid += 2 {
		odd = append(odd, metadata.UIDRange{First: uid, Last: uid})
	}
	for _, s := range []metadata.UIDSet{nil, odd, set(3, 600, 700, 700, 900, 1100)} {
		want := 0
		for _, m := range before {
			if s == nil || s.Contains(m.UID) {
				want++
			}
		}
		res, err := f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, s, u.trash))
		f.must(err)
		if len(res.Source) != want {
			f.Fatalf("copied %d, want %d", len(res.Source), want)
		}
		f.wantCopies(before, res, u.trash)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testMove(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 300, func(i int, it *metadata.AppendItem) { it.Flags = metadata.Flags(i % 16) })
	start, before := f.load(u.inbox)
	res, err := f.s.Move(f.ctx(), f.copyRequest(u, u.inbox, set(10, 290, 400, 500), u.trash))
	f.must(err)
	if len(res.Source) != 281 || res.SourceModSeq != res.DestModSeq {
		f.Fatalf("result %+v", res)
	}
	f.wantCopies(before, res, u.trash)
	c, err := f.s.ChangesSince(f.ctx(), u.inbox, start.HighestModSeq)
	f.must(err)
	f.wantUIDs("vanished", c.Vanished, set(10, 290))
	if c.Mailbox.HighestModSeq != res.SourceModSeq || len(c.Changed) != 0 || c.Mailbox.Messages != 19 {
		f.Fatalf("changes %+v", c)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testMoveToItself(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 3, nil)
	_, before := f.load(u.inbox)
	res, err := f.s.Move(f.ctx(), f.copyRequest(u, u.inbox, set(1, 2), u.inbox))
	f.must(err)
	f.wantCopies(before, res, u.inbox)
	_, msgs := f.load(u.inbox)
	f.wantUIDs("left", uidsOf(msgs), set(3, 5))
	Check(f.ctx(), f, f.s, u.id)
}

func testMoveToAnotherAccount(f *fixture) {
	u, other := f.user(), f.user()
	f.fill(u, u.inbox, 3, nil)
	f.must(f.s.SetQuota(f.ctx(), other.id, 0, 1))
	req := f.copyRequest(u, u.inbox, set(1, 2), other.inbox)
	req.DestAccount = other.id
	_, before := f.load(u.inbox)
	_, err := f.s.Move(f.ctx(), req)
	f.wantKind(err, mailerr.OverQuota)
	f.must(f.s.SetQuota(f.ctx(), other.id, 0, 2))
	res, err := f.s.Move(f.ctx(), req)
	f.must(err)
	f.wantCopies(before, res, other.inbox)
	_, msgs := f.load(u.inbox)
	f.wantUIDs("left", uidsOf(msgs), set(3, 3))
	Check(f.ctx(), f, f.s, u.id)
	Check(f.ctx(), f, f.s, other.id)
}

func testExpunge(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 6, func(i int, it *metadata.AppendItem) {
		if i%2 == 1 {
			it.Flags = metadata.FlagDeleted
		}
	})
	start, _ := f.load(u.inbox)
	expunge := func(uids metadata.UIDSet, only bool) *metadata.ExpungeResult {
		f.Helper()
		res, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: uids, OnlyDeleted: only})
		f.must(err)
		return res
	}
	res := expunge(set(1, 3), true)
	f.wantUIDs("of 1:3", res.UIDs, set(2, 2))
	if res.ModSeq <= start.HighestModSeq {
		f.Fatalf("MODSEQ %d after %d", res.ModSeq, start.HighestModSeq)
	}
	f.wantUIDs("of all", expunge(nil, true).UIDs, set(4, 4, 6, 6))
	last := expunge(nil, true)
	f.wantUIDs("of none", last.UIDs, nil)
	box, msgs := f.load(u.inbox)
	f.wantUIDs("left", uidsOf(msgs), set(1, 1, 3, 3, 5, 5))
	if last.ModSeq != box.HighestModSeq || box.UIDNext != 7 {
		f.Fatalf("mailbox %+v, result %+v", box, last)
	}
	f.wantUIDs("whatever their flags", expunge(set(3, 100), false).UIDs, set(3, 3, 5, 5))
	f.wantUIDs("empty set", expunge(metadata.UIDSet{}, false).UIDs, nil)
	c, err := f.s.ChangesSince(f.ctx(), u.inbox, start.HighestModSeq)
	f.must(err)
	f.wantUIDs("vanished", c.Vanished, set(2, 6))
	Check(f.ctx(), f, f.s, u.id)
}

func testExpungeAll(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 2000, func(i int, it *metadata.AppendItem) {
		if i%3 != 0 {
			it.Flags = metadata.FlagDeleted
		}
	})
	res, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, OnlyDeleted: true})
	f.must(err)
	if n := res.UIDs.Len(); n != 1333 {
		f.Fatalf("%d expunged", n)
	}
	Check(f.ctx(), f, f.s, u.id)
	res, err = f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox})
	f.must(err)
	if n := res.UIDs.Len(); n != 667 {
		f.Fatalf("%d expunged", n)
	}
	if r := f.fill(u, u.inbox, 1, nil)[0]; r.UID != 2001 {
		f.Fatalf("the next message has UID %d", r.UID)
	}
	Check(f.ctx(), f, f.s, u.id)
}
