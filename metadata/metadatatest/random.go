package metadatatest

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// model is what an account's mailboxes must hold, kept in the simplest way.
type model struct {
	boxes []*modelBox
}

type modelBox struct {
	id       metadata.MailboxID
	next     metadata.UID
	messages []metadata.Message // ModSeq and SaveDate are not compared
	vanished []metadata.UID
}

func (b *modelBox) pick(uids metadata.UIDSet) (picked []int) {
	for i, m := range b.messages {
		if uids.Contains(m.UID) {
			picked = append(picked, i)
		}
	}
	return picked
}

func (b *modelBox) add(m metadata.Message) metadata.UID {
	m.UID = b.next
	b.next++
	b.messages = append(b.messages, m)
	return m.UID
}

func (b *modelBox) remove(uid metadata.UID) {
	b.messages = slices.DeleteFunc(b.messages, func(m metadata.Message) bool { return m.UID == uid })
	b.vanished = append(b.vanished, uid)
}

// testRandom runs random operations on the store and on the model. A failing run prints the seed that repeats it.
func testRandom(t *testing.T, s metadata.Store) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fixture{TB: t, s: s}
		u := f.user()
		m := &model{boxes: []*modelBox{{id: u.inbox, next: 1}, {id: u.trash, next: 1}}}
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			step := rapid.SampledFrom([]func(*fixture, *rapid.T, user, *model){
				randomAppend, randomAppend, randomStore, randomStore, randomCopy, randomMove, randomExpunge, randomMailbox,
			}).Draw(t, "step")
			step(f, t, u, m)
		}
		compare(f, t, u, m)
	})
}

func drawBox(t *rapid.T, m *model, label string) *modelBox {
	return m.boxes[rapid.IntRange(0, len(m.boxes)-1).Draw(t, label)]
}

// drawSet returns ranges around the UIDs in use.
func drawSet(t *rapid.T, b *modelBox) metadata.UIDSet {
	var uids []metadata.UID
	for range rapid.IntRange(0, 3).Draw(t, "ranges") {
		first := rapid.IntRange(1, int(b.next)).Draw(t, "first")
		for n := range rapid.IntRange(1, 6).Draw(t, "length") {
			uids = append(uids, metadata.UID(first+n))
		}
	}
	s := metadata.UIDSetOf(uids...)
	if rapid.IntRange(0, 9).Draw(t, "open end") == 0 {
		s = set(1, 1<<32-1)
	}
	if s == nil {
		s = metadata.UIDSet{}
	}
	return s
}

func drawKeywords(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", "$Junk", "zz", "ZZ"}), 0, 3).Draw(t, "keywords")
}

func randomAppend(f *fixture, t *rapid.T, u user, m *model) {
	n := rapid.IntRange(1, 5).Draw(t, "items")
	items := make([]metadata.AppendItem, n)
	want := make([]metadata.UID, n)
	for i := range items {
		b := drawBox(t, m, "mailbox")
		items[i] = item(u, b.id)
		items[i].Flags = metadata.Flags(rapid.IntRange(0, 31).Draw(t, "flags"))
		items[i].Keywords = rapid.SampledFrom([]string{"", "a", "A b"}).Draw(t, "keywords")
		items[i].Body.Stored = rapid.Int64Range(0, 5000).Draw(t, "size")
		want[i] = b.add(metadata.Message{Flags: items[i].Flags, Keywords: items[i].Keywords, InternalDate: at, Size: items[i].Body.Size(), Body: items[i].Body.ID})
	}
	for i, r := range f.append(items...) {
		if r.Err != nil || r.UID != want[i] {
			t.Fatalf("append of item %d: %+v, want UID %d", i, r, want[i])
		}
	}
}

func randomStore(f *fixture, t *rapid.T, u user, m *model) {
	b := drawBox(t, m, "mailbox")
	uids := drawSet(t, b)
	op := metadata.FlagOp(rapid.IntRange(0, 2).Draw(t, "op"))
	flags := metadata.Flags(rapid.IntRange(0, 31).Draw(t, "flags"))
	keywords := drawKeywords(t)
	var changed []metadata.UID
	for _, i := range b.pick(uids) {
		msg := &b.messages[i]
		before := *msg
		modelStore(msg, op, flags, keywords)
		if *msg != before {
			changed = append(changed, msg.UID)
		}
	}
	res := f.store(u, b.id, op, uids, flags, keywords...)
	if got := uidsOf(res.Changed); !slices.Equal(got, metadata.UIDSetOf(changed...)) {
		t.Fatalf("STORE changed %v, want %v", got, changed)
	}
}

// modelStore says what STORE does, without any of the store's code.
func modelStore(m *metadata.Message, op metadata.FlagOp, flags metadata.Flags, keywords []string) {
	spelling := map[string]string{}
	for _, k := range strings.Fields(m.Keywords) {
		spelling[strings.ToLower(k)] = k
	}
	result := map[string]string{}
	if op != metadata.FlagsReplace {
		for low, k := range spelling {
			result[low] = k
		}
	}
	for _, k := range keywords {
		low := strings.ToLower(k)
		switch have, ok := spelling[low]; {
		case op == metadata.FlagsRemove:
			delete(result, low)
		case ok:
			result[low] = have
		case result[low] == "":
			result[low] = k
		}
	}
	var lows []string
	for low := range result {
		lows = append(lows, low)
	}
	slices.Sort(lows)
	var ks []string
	for _, low := range lows {
		ks = append(ks, result[low])
	}
	m.Keywords = strings.Join(ks, " ")
	switch op {
	case metadata.FlagsReplace:
		m.Flags = flags
	case metadata.FlagsAdd:
		m.Flags |= flags
	case metadata.FlagsRemove:
		m.Flags &^= flags
	}
}

func randomCopy(f *fixture, t *rapid.T, u user, m *model) { modelCopy(f, t, u, m, false) }
func randomMove(f *fixture, t *rapid.T, u user, m *model) { modelCopy(f, t, u, m, true) }

func modelCopy(f *fixture, t *rapid.T, u user, m *model, move bool) {
	from, to := drawBox(t, m, "from"), drawBox(t, m, "to")
	req := f.copyRequest(u, from.id, drawSet(t, from), to.id)
	var source []metadata.Message
	for _, i := range from.pick(req.UIDs) {
		source = append(source, from.messages[i])
	}
	var want metadata.CopyResult
	for _, msg := range source {
		want.Source = append(want.Source, msg.UID)
		want.Dest = append(want.Dest, to.add(msg))
		if move {
			from.remove(msg.UID)
		}
	}
	do := f.s.Copy
	if move {
		do = f.s.Move
	}
	res, err := do(f.ctx(), req)
	f.must(err)
	if !slices.Equal(res.Source, want.Source) || !slices.Equal(res.Dest, want.Dest) {
		t.Fatalf("copied %v to %v, want %v to %v", res.Source, res.Dest, want.Source, want.Dest)
	}
}

func randomExpunge(f *fixture, t *rapid.T, u user, m *model) {
	b := drawBox(t, m, "mailbox")
	req := metadata.ExpungeRequest{Account: u.id, Mailbox: b.id, UIDs: drawSet(t, b), OnlyDeleted: rapid.Bool().Draw(t, "only deleted")}
	var gone []metadata.UID
	for _, i := range b.pick(req.UIDs) {
		if !req.OnlyDeleted || b.messages[i].Flags&metadata.FlagDeleted != 0 {
			gone = append(gone, b.messages[i].UID)
		}
	}
	for _, uid := range gone {
		b.remove(uid)
	}
	res, err := f.s.Expunge(f.ctx(), req)
	f.must(err)
	if !slices.Equal(res.UIDs, metadata.UIDSetOf(gone...)) {
		t.Fatalf("expunged %v, want %v", res.UIDs, gone)
	}
}

func randomMailbox(f *fixture, t *rapid.T, u user, m *model) {
	if len(m.boxes) > 3 || len(m.boxes) > 2 && rapid.Bool().Draw(t, "delete") {
		i := rapid.IntRange(2, len(m.boxes)-1).Draw(t, "which")
		f.must(f.s.DeleteMailbox(f.ctx(), u.id, m.boxes[i].id))
		_, _, err := f.s.LoadMailbox(f.ctx(), m.boxes[i].id)
		f.wantKind(err, mailerr.NotFound)
		m.boxes = slices.Delete(m.boxes, i, i+1)
		return
	}
	id := metadata.NewMailboxID()
	_, err := f.s.CreateMailbox(f.ctx(), u.id, metadata.NewMailbox{ID: id, Name: id.String()}, 0)
	f.must(err)
	m.boxes = append(m.boxes, &modelBox{id: id, next: 1})
}

func compare(f *fixture, t *rapid.T, u user, m *model) {
	boxes, err := f.s.Mailboxes(f.ctx(), u.id)
	f.must(err)
	if len(boxes) != len(m.boxes) {
		t.Fatalf("%d mailboxes, want %d", len(boxes), len(m.boxes))
	}
	for _, b := range m.boxes {
		box, msgs := f.load(b.id)
		if box.UIDNext != b.next || len(msgs) != len(b.messages) {
			t.Fatalf("UIDNEXT %d with %d messages, want %d with %d", box.UIDNext, len(msgs), b.next, len(b.messages))
		}
		for i := range msgs {
			got, want := msgs[i], b.messages[i]
			got.ModSeq, got.SaveDate = 0, want.SaveDate
			if got != want {
				t.Fatalf("row %s, want %s", text(got), text(want))
			}
		}
		c, err := f.s.ChangesSince(f.ctx(), b.id, 0)
		f.must(err)
		if !slices.Equal(c.Vanished, metadata.UIDSetOf(b.vanished...)) {
			t.Fatalf("vanished %v, want %v", c.Vanished, b.vanished)
		}
	}
	Check(f.ctx(), f, f.s, u.id)
}
