package metadatatest

import (
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// allOrNone appends items of which one refused refuses all.
func (f *fixture) allOrNone(items ...metadata.AppendItem) []metadata.AppendResult {
	f.Helper()
	b := batch(items...)
	b.AllOrNone = true
	res, err := f.s.Append(f.ctx(), b)
	f.must(err)
	if len(res) != len(items) {
		f.Fatalf("%d results for %d items", len(res), len(items))
	}
	return res
}

func testAppendAllOrNone(f *fixture) {
	u := f.user()
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 5))
	res := f.allOrNone(item(u, u.inbox), item(u, u.inbox), item(u, u.inbox))
	for i := range res {
		f.must(res[i].Err)
		if res[i].UID != metadata.UID(i+1) {
			f.Errorf("item %d got UID %d", i, res[i].UID)
		}
	}
	refused := []metadata.AppendItem{item(u, u.inbox), item(u, u.inbox), item(u, u.inbox)}
	res = f.allOrNone(refused...)
	f.wantKind(res[0].Err, mailerr.Invalid)
	f.wantKind(res[1].Err, mailerr.Invalid)
	f.wantKind(res[2].Err, mailerr.OverQuota)
	m, msgs := f.load(u.inbox)
	if len(msgs) != 3 || m.UIDNext != 4 {
		f.Errorf("%d messages, UIDNEXT %d", len(msgs), m.UIDNext)
	}
	ids := []metadata.BodyID{refused[0].Body.ID, refused[1].Body.ID, refused[2].Body.ID}
	bodies, err := f.s.Bodies(f.ctx(), u.id, ids)
	f.must(err)
	if len(bodies) != 0 {
		f.Errorf("%d bodies of refused messages", len(bodies))
	}
	// What was refused may be tried again, with other company.
	res = f.allOrNone(refused[:2]...)
	f.must(res[0].Err)
	f.must(res[1].Err)
	if res[0].UID != 4 || res[1].UID != 5 {
		f.Errorf("UIDs %d and %d", res[0].UID, res[1].UID)
	}
	// An Append repeated whole yields the same.
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 0))
	again := f.allOrNone(refused[:2]...)
	if again[0].UID != 4 || again[1].UID != 5 || again[0].Err != nil || again[1].Err != nil {
		f.Errorf("again: %+v", again)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func replaceRequest(u user, box metadata.MailboxID, uid metadata.UID, it metadata.AppendItem) metadata.ReplaceRequest {
	return metadata.ReplaceRequest{Account: u.id, Mailbox: box, UID: uid, Pack: batch(it).Packs[0], Item: it}
}

func testReplace(f *fixture) {
	u := f.user()
	old := f.fill(u, u.inbox, 3, nil)
	// Nothing more would fit: the old message's room is the new one's.
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 3))
	it := item(u, u.inbox)
	it.Flags = metadata.FlagDraft | metadata.FlagSeen
	before, _ := f.load(u.inbox)
	res, err := f.s.Replace(f.ctx(), replaceRequest(u, u.inbox, old[1].UID, it))
	f.must(err)
	if res.UID != 4 || res.UIDValidity != before.UIDValidity || res.ModSeq < res.SourceModSeq || res.SourceModSeq <= before.HighestModSeq {
		f.Errorf("%+v after HIGHESTMODSEQ %d", res, before.HighestModSeq)
	}
	m, msgs := f.load(u.inbox)
	if got := uidsOf(msgs); !slices.Equal(got, metadata.UIDSetOf(1, 3, 4)) || m.HighestModSeq != res.ModSeq {
		f.Errorf("UIDs %v, HIGHESTMODSEQ %d", got, m.HighestModSeq)
	}
	if last := msgs[2]; last.Flags != it.Flags || last.Body != it.Body.ID || last.ModSeq != res.ModSeq {
		f.Errorf("new message %+v", last)
	}
	changes, err := f.s.ChangesSince(f.ctx(), u.inbox, before.HighestModSeq)
	f.must(err)
	if !slices.Equal(changes.Vanished, metadata.UIDSetOf(2)) || len(changes.Changed) != 1 {
		f.Errorf("changes: vanished %v, %d changed", changes.Vanished, len(changes.Changed))
	}
	Check(f.ctx(), f, f.s, u.id)
}

// testReplaceThread: a message that replaces another is put into a thread like any.
func testReplaceThread(f *fixture) {
	u := f.user()
	a, draft := linked(u, u.inbox, 1), linked(u, u.inbox, 2)
	f.append(a)
	uid := f.append(draft)[0].UID
	reply := linked(u, u.inbox, 3, 1)
	_, err := f.s.Replace(f.ctx(), replaceRequest(u, u.inbox, uid, reply))
	f.must(err)
	answer := linked(u, u.trash, 4, 3)
	f.append(answer)
	f.wantThreads(f.threads(a, draft, reply, answer), a, draft, a, a)
	Check(f.ctx(), f, f.s, u.id)
}

func testReplaceElsewhere(f *fixture) {
	u, other := f.user(), f.user()
	f.fill(u, u.inbox, 2, nil)
	res, err := f.s.Replace(f.ctx(), replaceRequest(u, u.inbox, 1, item(u, u.trash)))
	f.must(err)
	if res.UID != 1 {
		f.Errorf("UID %d", res.UID)
	}
	if _, msgs := f.load(u.inbox); len(msgs) != 1 || msgs[0].UID != 2 {
		f.Errorf("%d messages left", len(msgs))
	}
	if _, msgs := f.load(u.trash); len(msgs) != 1 {
		f.Errorf("%d messages in the destination", len(msgs))
	}
	// Into another account's mailbox.
	_, err = f.s.Replace(f.ctx(), replaceRequest(u, u.inbox, 2, item(other, other.inbox)))
	f.must(err)
	if _, msgs := f.load(other.inbox); len(msgs) != 1 {
		f.Errorf("%d messages in the other account", len(msgs))
	}
	Check(f.ctx(), f, f.s, u.id)
	Check(f.ctx(), f, f.s, other.id)
}

func testReplaceRefused(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 2, nil)
	before, _ := f.load(u.inbox)
	try := func(kind mailerr.Kind, req metadata.ReplaceRequest) {
		f.Helper()
		_, err := f.s.Replace(f.ctx(), req)
		f.wantKind(err, kind)
	}
	gone := user{id: u.id}
	try(mailerr.Expunged, replaceRequest(u, u.inbox, 7, item(u, u.inbox)))
	try(mailerr.NotFound, replaceRequest(u, metadata.NewMailboxID(), 1, item(u, u.inbox)))
	try(mailerr.NotFound, replaceRequest(u, u.inbox, 1, item(gone, metadata.NewMailboxID())))
	big := item(u, u.inbox)
	big.Body.Stored = 1 << 40
	f.must(f.s.SetQuota(f.ctx(), u.id, 1<<30, 0))
	try(mailerr.OverQuota, replaceRequest(u, u.inbox, 1, big))
	after, msgs := f.load(u.inbox)
	if len(msgs) != 2 || *after != *before {
		f.Errorf("%+v, want %+v", after, before)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testMessagesByUID(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 5, nil)
	_, all := f.load(u.inbox)
	msgs, err := f.s.MessagesByUID(f.ctx(), u.inbox, []metadata.UID{4, 2, 9, 2})
	f.must(err)
	if len(msgs) != 2 || msgs[0] != all[1] || msgs[1] != all[3] {
		f.Errorf("got %+v", msgs)
	}
	msgs, err = f.s.MessagesByUID(f.ctx(), metadata.NewMailboxID(), []metadata.UID{1})
	f.must(err)
	if len(msgs) != 0 {
		f.Errorf("%d messages of no mailbox", len(msgs))
	}
}
