package metadatatest

import (
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func (f *fixture) expunge(u user, box metadata.MailboxID, uids metadata.UIDSet) metadata.ModSeq {
	f.Helper()
	res, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: box, UIDs: uids})
	f.must(err)
	return res.ModSeq
}

func (f *fixture) purge(u user, box metadata.MailboxID, upTo metadata.ModSeq, before time.Time) int {
	f.Helper()
	n, err := f.s.PurgeExpunged(f.ctx(), metadata.PurgeExpunged{Account: u.id, Mailbox: box, UpTo: upTo, Before: before})
	f.must(err)
	return n
}

// wantVanished checks VanishedSince and that ChangesSince says the same.
func (f *fixture) wantVanished(box metadata.MailboxID, since metadata.ModSeq, want metadata.UIDSet, complete bool) {
	f.Helper()
	v, err := f.s.VanishedSince(f.ctx(), box, since)
	f.must(err)
	f.wantUIDs("vanished", v.UIDs, want)
	c, err := f.s.ChangesSince(f.ctx(), box, since)
	f.must(err)
	f.wantUIDs("vanished of ChangesSince", c.Vanished, want)
	if v.Complete != complete || c.Complete != complete {
		f.Fatalf("since %d complete %v and %v, want %v", since, v.Complete, c.Complete, complete)
	}
	if v.Mailbox != c.Mailbox {
		f.Fatalf("mailbox %+v and %+v", v.Mailbox, c.Mailbox)
	}
}

// ever is after every expunge, on any clock.
var ever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func testVanishedSince(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 20, nil)
	start, _ := f.load(u.inbox)
	first := f.expunge(u, u.inbox, set(3, 5))
	second := f.expunge(u, u.inbox, set(7, 7, 20, 20))
	f.wantVanished(u.inbox, 0, set(3, 5, 7, 7, 20, 20), true)
	f.wantVanished(u.inbox, start.HighestModSeq, set(3, 5, 7, 7, 20, 20), true)
	f.wantVanished(u.inbox, first, set(7, 7, 20, 20), true)
	f.wantVanished(u.inbox, second, nil, true)
	f.wantVanished(u.inbox, 1<<64-1, nil, true)
	f.wantVanished(u.trash, 0, nil, true)
	_, err := f.s.VanishedSince(f.ctx(), metadata.NewMailboxID(), 0)
	f.wantKind(err, mailerr.NotFound)
}

func testPurgeExpunged(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 50, nil)
	start, _ := f.load(u.inbox)
	first := f.expunge(u, u.inbox, set(1, 10))
	second := f.expunge(u, u.inbox, set(11, 12, 15, 15))
	third := f.expunge(u, u.inbox, set(20, 30))
	before, _ := f.load(u.inbox)

	if n := f.purge(u, u.inbox, start.HighestModSeq, ever) + f.purge(u, u.inbox, third, at.AddDate(-100, 0, 0)) + f.purge(u, u.trash, third, ever); n != 0 {
		f.Fatalf("purged %d rows that should stay", n)
	}
	f.wantVanished(u.inbox, 0, set(1, 12, 15, 15, 20, 30), true)

	if n := f.purge(u, u.inbox, second, ever); n != 13 {
		f.Fatalf("purged %d rows", n)
	}
	f.wantVanished(u.inbox, 0, set(20, 30), false)
	f.wantVanished(u.inbox, second-1, set(20, 30), false)
	f.wantVanished(u.inbox, second, set(20, 30), true)
	f.wantVanished(u.inbox, third, nil, true)
	if n := f.purge(u, u.inbox, second, ever); n != 0 {
		f.Fatalf("purged %d rows twice", n)
	}
	after, _ := f.load(u.inbox)
	before.ExpungedBefore = second
	if *after != *before {
		f.Fatalf("mailbox %+v, want %+v", after, before)
	}

	// Changes afterwards leave the mark, and a purge of less does not lower it.
	f.store(u, u.inbox, metadata.FlagsAdd, set(40, 40), metadata.FlagSeen)
	fourth := f.expunge(u, u.inbox, set(50, 50))
	f.purge(u, u.inbox, first, ever)
	f.wantVanished(u.inbox, second-1, set(20, 30, 50, 50), false)
	f.wantVanished(u.inbox, second, set(20, 30, 50, 50), true)
	if n := f.purge(u, u.inbox, 1<<64-1, ever); n != 12 {
		f.Fatalf("purged %d rows", n)
	}
	f.wantVanished(u.inbox, fourth-1, nil, false)
	f.wantVanished(u.inbox, fourth, nil, true)
	Check(f.ctx(), f, f.s, u.id)
}

func testPurgeExpungedOfDeletedMailbox(f *fixture) {
	u := f.user()
	f.fill(u, u.trash, 5, nil)
	f.must(f.s.DeleteMailbox(f.ctx(), u.id, u.trash))
	if n := f.purge(u, u.trash, 1<<64-1, ever); n != 5 {
		f.Fatalf("purged %d rows", n)
	}
	if n := f.purge(u, u.trash, 1<<64-1, ever) + f.purge(u, metadata.NewMailboxID(), 1<<64-1, ever); n != 0 {
		f.Fatalf("purged %d rows of nothing", n)
	}
}
