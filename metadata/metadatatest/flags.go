package metadatatest

import (
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testStoreFlags(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 5, func(i int, it *metadata.AppendItem) {
		if i == 2 {
			it.Flags = metadata.FlagSeen
		}
	})
	before, _ := f.load(u.inbox)
	res := f.store(u, u.inbox, metadata.FlagsAdd, set(2, 4, 7, 9), metadata.FlagSeen)
	f.wantUIDs("changed", uidsOf(res.Changed), set(2, 2, 4, 4))
	f.wantUIDs("same", uidsOf(res.Same), set(3, 3))
	f.wantUIDs("missing", res.Missing, set(7, 9))
	f.wantUIDs("modified", res.Modified, nil)
	if res.ModSeq <= before.HighestModSeq {
		f.Fatalf("MODSEQ %d after %d", res.ModSeq, before.HighestModSeq)
	}
	after, msgs := f.load(u.inbox)
	if after.HighestModSeq != res.ModSeq || after.Unseen != 2 {
		f.Fatalf("mailbox %+v", after)
	}
	for _, c := range res.Changed {
		if got := msgs[c.UID-1]; got != c || c.ModSeq != res.ModSeq {
			f.Fatalf("row %s, result %s", text(got), text(c))
		}
	}
	if msgs[2].ModSeq != before.HighestModSeq {
		f.Fatalf("a row that stayed the same: %s", text(msgs[2]))
	}

	// Nothing changes: no new MODSEQ.
	if again := f.store(u, u.inbox, metadata.FlagsAdd, set(2, 4), metadata.FlagSeen); again.ModSeq != res.ModSeq || len(again.Changed) != 0 {
		f.Fatalf("again: %+v", again)
	}
	if none := f.store(u, u.inbox, metadata.FlagsAdd, metadata.UIDSet{}, metadata.FlagSeen); none.ModSeq != res.ModSeq || len(none.Changed) != 0 {
		f.Fatalf("empty set: %+v", none)
	}

	f.store(u, u.inbox, metadata.FlagsReplace, set(1, 3), metadata.FlagDeleted|metadata.FlagFlagged)
	f.store(u, u.inbox, metadata.FlagsRemove, set(1, 1), metadata.FlagFlagged|metadata.FlagDraft)
	_, msgs = f.load(u.inbox)
	for i, want := range []metadata.Flags{metadata.FlagDeleted, metadata.FlagDeleted | metadata.FlagFlagged, metadata.FlagDeleted | metadata.FlagFlagged, metadata.FlagSeen, 0} {
		if msgs[i].Flags != want {
			f.Fatalf("UID %d has flags %d, want %d", i+1, msgs[i].Flags, want)
		}
	}
	Check(f.ctx(), f, f.s, u.id)
	_, err := f.s.StoreFlags(f.ctx(), metadata.StoreFlags{Account: f.user().id, Mailbox: u.inbox, UIDs: set(1, 1)})
	f.wantKind(err, mailerr.NotFound) // somebody else's mailbox
	_, err = f.s.StoreFlags(f.ctx(), metadata.StoreFlags{Account: u.id, Mailbox: u.inbox, UIDs: set(1, 1), Keywords: []string{"\x00"}})
	f.wantKind(err, mailerr.Invalid)
}

func testStoreFlagsKeywords(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 1, func(_ int, it *metadata.AppendItem) { it.Keywords = "Zebra $Junk" })
	for _, c := range []struct {
		op   metadata.FlagOp
		give []string
		want string
	}{
		{metadata.FlagsAdd, []string{"apple", "ZEBRA"}, "$Junk apple Zebra"},
		{metadata.FlagsAdd, []string{"Mango", "mango"}, "$Junk apple Mango Zebra"},
		{metadata.FlagsRemove, []string{"APPLE", "none"}, "$Junk Mango Zebra"},
		{metadata.FlagsReplace, []string{"mango", "new"}, "Mango new"},
		{metadata.FlagsRemove, []string{"new", "mango"}, ""},
		{metadata.FlagsReplace, nil, ""},
	} {
		f.store(u, u.inbox, c.op, set(1, 1), 0, c.give...)
		if _, msgs := f.load(u.inbox); msgs[0].Keywords != c.want {
			f.Fatalf("op %d with %q gives %q, want %q", c.op, c.give, msgs[0].Keywords, c.want)
		}
	}
	if res := f.store(u, u.inbox, metadata.FlagsAdd, set(1, 1), 0, "b", "A"); res.Changed[0].Keywords != "A b" {
		f.Fatalf("result %q", res.Changed[0].Keywords)
	}
	if res := f.store(u, u.inbox, metadata.FlagsAdd, set(1, 1), 0, "B", "a"); len(res.Changed) != 0 {
		f.Fatalf("another spelling changed %v", res.Changed)
	}
}

func testStoreFlagsUnchangedSince(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 4, nil)
	since, _ := f.load(u.inbox)
	f.store(u, u.inbox, metadata.FlagsAdd, set(2, 3), metadata.FlagSeen)
	res, err := f.s.StoreFlags(f.ctx(), metadata.StoreFlags{
		Account: u.id, Mailbox: u.inbox, UIDs: set(1, 4), Op: metadata.FlagsAdd, Flags: metadata.FlagFlagged, UnchangedSince: &since.HighestModSeq,
	})
	f.must(err)
	f.wantUIDs("changed", uidsOf(res.Changed), set(1, 1, 4, 4))
	f.wantUIDs("modified", res.Modified, set(2, 3))
	zero := metadata.ModSeq(0)
	res, err = f.s.StoreFlags(f.ctx(), metadata.StoreFlags{
		Account: u.id, Mailbox: u.inbox, UIDs: set(1, 5), Op: metadata.FlagsAdd, Flags: metadata.FlagDraft, UnchangedSince: &zero,
	})
	f.must(err)
	f.wantUIDs("modified", res.Modified, set(1, 4))
	f.wantUIDs("missing", res.Missing, set(5, 5))
	Check(f.ctx(), f, f.s, u.id)
}

// testStoreFlagsSparseAndLarge takes sets of every shape through the different ways rows are read and written.
func testStoreFlagsSparseAndLarge(f *fixture) {
	u := f.user()
	const n = 3000
	f.fill(u, u.inbox, n, func(i int, it *metadata.AppendItem) { it.Flags = metadata.Flags(i % 3) })
	var hole metadata.UIDSet
	for uid := metadata.UID(100); uid <= n; uid += 100 {
		hole = append(hole, metadata.UIDRange{First: uid, Last: uid})
	}
	_, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: hole})
	f.must(err)
	var every2, pairs metadata.UIDSet
	for uid := metadata.UID(1); uid <= n; uid += 2 {
		every2 = append(every2, metadata.UIDRange{First: uid, Last: uid})
	}
	for uid := metadata.UID(1); uid < n; uid += 10 {
		pairs = append(pairs, metadata.UIDRange{First: uid, Last: uid + 1})
	}
	for i, s := range []metadata.UIDSet{
		set(1, 1<<32-1), every2, pairs, set(50, 250), set(1, 1400, 1600, 1700, 2900, 2950), set(2999, 1<<32-1), set(1, 70, 140, 210),
	} {
		flag := metadata.Flags(1 << (2 + i%3))
		op := metadata.FlagsAdd
		if i >= 3 {
			op = metadata.FlagsRemove
		}
		_, before := f.load(u.inbox)
		res := f.store(u, u.inbox, op, s, flag)
		after, msgs := f.load(u.inbox)
		changed := 0
		for j := range msgs {
			want := before[j]
			if s.Contains(want.UID) {
				if op == metadata.FlagsAdd {
					want.Flags |= flag
				} else {
					want.Flags &^= flag
				}
			}
			if want.Flags != before[j].Flags {
				changed++
				if msgs[j].ModSeq <= before[j].ModSeq || msgs[j].ModSeq > after.HighestModSeq {
					f.Fatalf("set %d: %s", i, text(msgs[j]))
				}
				want.ModSeq = msgs[j].ModSeq
			}
			if msgs[j] != want {
				f.Fatalf("set %d: row %s, want %s", i, text(msgs[j]), text(want))
			}
		}
		if len(res.Changed) != changed || after.HighestModSeq != res.ModSeq {
			f.Fatalf("set %d: %d changed, want %d; MODSEQ %d, want %d", i, len(res.Changed), changed, res.ModSeq, after.HighestModSeq)
		}
		for k := 1; k < len(res.Changed); k++ {
			if res.Changed[k].UID <= res.Changed[k-1].UID {
				f.Fatalf("set %d: results are not ascending", i)
			}
		}
		Check(f.ctx(), f, f.s, u.id)
	}
}

func testChangesSince(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 10, nil)
	start, all := f.load(u.inbox)
	f.store(u, u.inbox, metadata.FlagsAdd, set(8, 8), metadata.FlagSeen)
	f.store(u, u.inbox, metadata.FlagsAdd, set(2, 3), metadata.FlagSeen)
	_, err := f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: set(3, 5)})
	f.must(err)
	f.fill(u, u.inbox, 1, nil)
	c, err := f.s.ChangesSince(f.ctx(), u.inbox, start.HighestModSeq)
	f.must(err)
	f.wantUIDs("changed", uidsOf(c.Changed), set(2, 2, 8, 8, 11, 11))
	f.wantUIDs("vanished", c.Vanished, set(3, 5))
	now, msgs := f.load(u.inbox)
	if c.Mailbox != *now || !c.Complete {
		f.Fatalf("changes %+v, mailbox %+v", c, now)
	}
	if c.Changed[0] != msgs[1] {
		f.Fatalf("changed %s, row %s", text(c.Changed[0]), text(msgs[1]))
	}
	c, err = f.s.ChangesSince(f.ctx(), u.inbox, now.HighestModSeq)
	f.must(err)
	if len(c.Changed) != 0 || len(c.Vanished) != 0 {
		f.Fatalf("changes since now: %+v", c)
	}
	c, err = f.s.ChangesSince(f.ctx(), u.inbox, 0)
	f.must(err)
	f.wantUIDs("changed since 0", uidsOf(c.Changed), uidsOf(msgs))
	c, err = f.s.ChangesSince(f.ctx(), u.inbox, 1<<64-1)
	f.must(err)
	if len(c.Changed) != 0 || len(all) != 10 {
		f.Fatalf("changes since the end of time: %+v", c)
	}
}
