package metadatatest

import (
	"fmt"
	"reflect"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testAppend(f *fixture) {
	u := f.user()
	before, _ := f.load(u.inbox)
	first, second := item(u, u.inbox), item(u, u.inbox)
	first.Flags, first.Keywords = metadata.FlagSeen|metadata.FlagDeleted, "$Work  apple Banana"
	res := f.append(first, second)
	for i, r := range res {
		f.must(r.Err)
		if r.UID != metadata.UID(i+1) || r.UIDValidity != before.UIDValidity || r.ModSeq != res[0].ModSeq || r.ModSeq <= before.HighestModSeq {
			f.Fatalf("result %d: %+v", i, r)
		}
	}
	box, msgs := f.load(u.inbox)
	if box.Messages != 2 || box.Unseen != 1 || box.Deleted != 1 || box.UIDNext != 3 || box.HighestModSeq != res[0].ModSeq || len(msgs) != 2 {
		f.Fatalf("mailbox %+v", box)
	}
	want := metadata.Message{
		UID: 1, Flags: first.Flags, Keywords: "$Work apple Banana", ModSeq: res[0].ModSeq,
		InternalDate: first.InternalDate, SaveDate: first.SaveDate, Size: first.Body.Size(), Body: first.Body.ID,
	}
	if msgs[0] != want {
		f.Fatalf("message %+v, want %+v", msgs[0], want)
	}
	later := f.append(item(u, u.trash))[0]
	if later.UID != 1 || later.ModSeq <= res[0].ModSeq || later.UIDValidity == before.UIDValidity {
		f.Fatalf("in another mailbox: %+v", later)
	}
	if res := f.append(); len(res) != 0 {
		f.Fatalf("results of nothing: %v", res)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testAppendRefusesOne(f *fixture) {
	u, other := f.user(), f.user()
	foreign := item(u, other.inbox) // u's message for other's mailbox
	wrong := item(u, u.inbox)
	wrong.Body.Account = other.id
	bad := item(u, u.inbox)
	bad.Keywords = "a\x00b"
	res := f.append(item(u, u.inbox), item(u, metadata.NewMailboxID()), foreign, wrong, bad, item(u, u.inbox))
	f.must(res[0].Err)
	f.wantKind(res[1].Err, mailerr.NotFound)
	f.wantKind(res[2].Err, mailerr.NotFound)
	f.wantKind(res[3].Err, mailerr.Invalid)
	f.wantKind(res[4].Err, mailerr.Invalid)
	f.must(res[5].Err)
	if res[0].UID != 1 || res[5].UID != 2 {
		f.Fatalf("UIDs %d and %d", res[0].UID, res[5].UID)
	}
	Check(f.ctx(), f, f.s, u.id)
	Check(f.ctx(), f, f.s, other.id)

	before, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	f.wantKind(f.append(item(u, metadata.NewMailboxID()))[0].Err, mailerr.NotFound)
	after, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	if before.ModSeq != after.ModSeq {
		f.Fatalf("the clock went from %d to %d without a change", before.ModSeq, after.ModSeq)
	}
}

// testAppendRepeated appends the same items again, as a caller does that got Unavailable.
func testAppendRepeated(f *fixture) {
	u := f.user()
	a, b, c := item(u, u.inbox), item(u, u.inbox), item(u, u.inbox)
	first := f.append(a, b)
	second := f.append(b, c, a)
	for _, res := range [][]metadata.AppendResult{first, second} {
		for i := range res {
			res[i].Use = metadata.Use{} // of what is there already nothing is told
		}
	}
	if second[0] != first[1] || second[2] != first[0] || second[1].UID != 3 {
		f.Fatalf("first %+v, second %+v", first, second)
	}
	f.store(u, u.inbox, metadata.FlagsAdd, set(1, 1), metadata.FlagSeen)
	_, err := f.s.Copy(f.ctx(), metadata.CopyRequest{Account: u.id, Source: u.inbox, UIDs: set(1, 1), DestAccount: u.id, Dest: u.inbox, SaveDate: at})
	f.must(err)
	_, err = f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: set(2, 2)})
	f.must(err)
	third := f.append(a, b)
	if third[0].UID != 1 || third[1].UID != 2 {
		f.Fatalf("third %+v", third)
	}
	if _, msgs := f.load(u.inbox); len(msgs) != 3 {
		f.Fatalf("%d messages", len(msgs))
	}
	// The same body in another mailbox of the account is another message.
	d := a
	d.Mailbox = u.trash
	if res := f.append(d)[0]; res.Err != nil || res.UID != 1 {
		f.Fatalf("in another mailbox: %+v", res)
	}
	e, g := item(u, u.inbox), item(u, u.trash)
	g.Body = e.Body
	res := f.append(e, g)
	f.must(res[0].Err)
	f.must(res[1].Err)
	Check(f.ctx(), f, f.s, u.id)
}

func testAppendManyAccounts(f *fixture) {
	var users []user
	var items []metadata.AppendItem
	shared := metadata.NewBodyID(at)
	for range 40 {
		u := f.user()
		users = append(users, u)
		it := item(u, u.inbox) // one message for all of them
		it.Body.ID = shared
		items = append(items, it, item(u, u.trash))
	}
	for i, r := range f.append(items...) {
		f.must(r.Err)
		if r.UID != 1 {
			f.Fatalf("item %d: %+v", i, r)
		}
	}
	for _, u := range users {
		Check(f.ctx(), f, f.s, u.id)
		bodies, err := f.s.Bodies(f.ctx(), u.id, []metadata.BodyID{shared})
		f.must(err)
		if len(bodies) != 1 || bodies[0].Account != u.id {
			f.Fatalf("bodies %+v", bodies)
		}
	}
}

func testAppendLargeBatch(f *fixture) {
	u := f.user()
	n := 0
	for _, size := range []int{1, 2, 15, 16, 17, 31, 100, 255, 256, 257, 700} {
		res := f.fill(u, u.inbox, size, nil)
		for i := range res {
			if n++; res[i].UID != metadata.UID(n) {
				f.Fatalf("batch of %d: message %d has UID %d", size, n, res[i].UID)
			}
		}
	}
	if _, msgs := f.load(u.inbox); len(msgs) != n {
		f.Fatalf("%d messages, want %d", len(msgs), n)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testBodies(f *fixture) {
	u := f.user()
	want := map[metadata.BodyID]metadata.Body{}
	var ids []metadata.BodyID
	for range 3 {
		it := item(u, u.inbox)
		it.Body.Summary = []byte("first\x00" + it.Body.ID.String())
		want[it.Body.ID] = it.Body
		ids = append(ids, it.Body.ID)
		f.append(it)
	}
	bare := item(u, u.inbox)
	bare.Body = metadata.Body{Account: u.id, ID: bare.Body.ID, Pack: bare.Body.Pack, Stored: 5}
	f.append(bare)
	ids = append(ids, bare.Body.ID, metadata.NewBodyID(at), ids[0])
	want[bare.Body.ID] = bare.Body
	got, err := f.s.Bodies(f.ctx(), u.id, ids)
	f.must(err)
	if len(got) != len(want) {
		f.Fatalf("%d bodies, want %d", len(got), len(want))
	}
	for _, b := range got {
		if !sameBody(b, want[b.ID]) {
			f.Fatalf("body %+v, want %+v", b, want[b.ID])
		}
	}
	got, err = f.s.BodyLocations(f.ctx(), u.id, ids)
	f.must(err)
	for _, b := range got {
		w := want[b.ID]
		w.Hash, w.Summary = nil, nil
		if !sameBody(b, w) || b.Summary != nil {
			f.Fatalf("location %+v, want %+v", b, w)
		}
	}
	if got, err = f.s.Bodies(f.ctx(), f.user().id, ids); err != nil || len(got) != 0 {
		f.Fatalf("another account got %v, %v", got, err)
	}
	if got, err = f.s.Bodies(f.ctx(), u.id, nil); err != nil || len(got) != 0 {
		f.Fatalf("got %v, %v", got, err)
	}
}

func sameBody(a, b metadata.Body) bool {
	norm := func(b *metadata.Body) {
		for _, p := range []*[]byte{&b.Frames, &b.Prefix, &b.Hash, &b.Summary} {
			if len(*p) == 0 {
				*p = nil
			}
		}
	}
	norm(&a)
	norm(&b)
	return reflect.DeepEqual(a, b)
}

func testQuota(f *fixture) {
	u := f.user()
	size := func() int64 { it := item(u, u.inbox); return it.Body.Size() }()
	f.must(f.s.SetQuota(f.ctx(), u.id, 3*size, 0))
	big := item(u, u.inbox)
	big.Body.Stored = 2 * size
	// Counted up in the order of the items: the big one does not fit after the first two, a small one behind it does.
	res := f.append(item(u, u.inbox), item(u, u.trash), big, item(u, u.inbox), item(u, u.inbox))
	for i, want := range []bool{true, true, false, true, false} {
		if (res[i].Err == nil) != want {
			f.Fatalf("item %d: %v", i, res[i].Err)
		}
		if !want {
			f.wantKind(res[i].Err, mailerr.OverQuota)
		}
	}
	forced := item(u, u.inbox)
	forced.IgnoreQuota = true
	f.must(f.append(forced)[0].Err)
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 4))
	f.wantKind(f.append(item(u, u.inbox))[0].Err, mailerr.OverQuota)
	f.must(f.s.SetQuota(f.ctx(), u.id, 0, 5))
	f.must(f.append(item(u, u.inbox))[0].Err)
	a, err := f.s.Account(f.ctx(), u.id)
	f.must(err)
	if a.UsedMessages != 5 || a.UsedBytes != 5*size {
		f.Fatalf("used %d bytes in %d messages", a.UsedBytes, a.UsedMessages)
	}
	Check(f.ctx(), f, f.s, u.id)
}

func testLoadMailboxNotFound(f *fixture) {
	_, _, err := f.s.LoadMailbox(f.ctx(), metadata.NewMailboxID())
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.ChangesSince(f.ctx(), metadata.NewMailboxID(), 0)
	f.wantKind(err, mailerr.NotFound)
	if text := mailerr.ClientText(err); text == "" || len(text) > 60 {
		f.Fatalf("client text %q", text)
	}
	u := f.user()
	if box, msgs := f.load(u.inbox); len(msgs) != 0 || box.Messages != 0 {
		f.Fatalf("empty mailbox: %+v, %v", box, fmt.Sprint(msgs))
	}
}
