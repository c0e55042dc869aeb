package metadatatest

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// outboundItem returns an item with a small body.
func outboundItem(u user) metadata.OutboundItem {
	return metadata.OutboundItem{ID: metadata.NewOutboundID(), Account: u.id, Kind: metadata.OutboundRedirect,
		From: "sender@example.net", To: "rcpt@example.com",
		Body: metadata.OutboundBody{Prefix: []byte("X: y\r\n"), Data: []byte("frames\x00"), Frames: []byte{1, 2}, Stored: 99}}
}

func (f *fixture) enqueue(items ...metadata.OutboundItem) []bool {
	f.Helper()
	in := make([]metadata.Enqueue, len(items))
	for i := range items {
		in[i].Item = items[i]
	}
	queued, err := f.s.Enqueue(f.ctx(), in)
	f.must(err)
	return queued
}

// claim leases everything that is due, which may be other tests' too, and returns what of the account the holder now has. What
// a commit leased whose answer was lost comes without its body.
func (f *fixture) claim(u user, holder string, ttl time.Duration) (mine []metadata.OutboundItem) {
	f.Helper()
	for {
		items, err := f.s.ClaimOutbound(f.ctx(), holder, ttl, 64)
		f.must(err)
		for _, it := range items {
			if it.Account == u.id {
				mine = append(mine, it)
			}
		}
		if len(items) == 0 || ttl <= 0 {
			break
		}
	}
	had := map[metadata.OutboundID]bool{}
	for _, it := range mine {
		had[it.ID] = true
	}
	for _, it := range f.queue(u, false) {
		if it.Holder == holder && !had[it.ID] {
			mine = append(mine, it)
		}
	}
	return mine
}

// queue returns the account's items in the queue.
func (f *fixture) queue(u user, all bool) (mine []metadata.OutboundItem) {
	f.Helper()
	q := metadata.OutboundQuery{Limit: 10, All: all}
	for {
		items, err := f.s.Outbound(f.ctx(), q)
		f.must(err)
		for _, it := range items {
			if it.Account == u.id {
				mine = append(mine, it)
			}
			q.After = it.ID
		}
		if len(items) < q.Limit {
			return mine
		}
	}
}

func ids(items ...metadata.OutboundItem) []metadata.OutboundID {
	out := make([]metadata.OutboundID, len(items))
	for i := range items {
		out[i] = items[i].ID
	}
	return out
}

func testEnqueue(f *fixture) {
	u := f.user()
	small, large := outboundItem(u), outboundItem(u)
	large.From, large.Kind = "", metadata.OutboundBounce
	large.Body = metadata.OutboundBody{Pack: metadata.NewPackID(at), Offset: 5, Length: 7, Frames: []byte{9}, Stored: 11}
	pack := metadata.Pack{ID: large.Body.Pack, Size: 1, Bodies: 1, Created: at}
	queued, err := f.s.Enqueue(f.ctx(), []metadata.Enqueue{{Item: small}, {Item: large, Pack: &pack}})
	f.must(err)
	if fmt.Sprint(queued) != "[true true]" {
		f.Fatal(queued)
	}
	if again := f.enqueue(small, outboundItem(u)); fmt.Sprint(again) != "[false true]" {
		f.Fatalf("enqueued again: %v", again)
	}
	packs, err := f.s.OutboundPacks(f.ctx(), []metadata.PackID{metadata.NewPackID(at), large.Body.Pack})
	f.must(err)
	if len(packs) != 1 || packs[0] != large.Body.Pack {
		f.Fatal(packs)
	}
	waiting, _, err := f.s.OutboundCounts(f.ctx())
	f.must(err)
	if waiting < 3 {
		f.Fatalf("%d wait", waiting)
	}
	for _, it := range f.claim(u, "n1", time.Hour) {
		if it.Attempts != 1 || it.Holder != "n1" || it.State != metadata.OutboundWaiting || time.Since(it.Created).Abs() > time.Hour {
			f.Fatalf("%+v", it)
		}
		if it.Body.Data == nil && !it.Body.InPack() {
			continue // see claim
		}
		want := small
		switch it.ID {
		case small.ID:
		case large.ID:
			want = large
		default:
			continue
		}
		b, w := it.Body, want.Body
		if it.From != want.From || it.To != want.To || it.Kind != want.Kind || !bytes.Equal(b.Prefix, w.Prefix) || !bytes.Equal(b.Data, w.Data) ||
			b.Pack != w.Pack || b.Offset != w.Offset || b.Length != w.Length || !bytes.Equal(b.Frames, w.Frames) || b.Stored != w.Stored {
			f.Fatalf("%+v, want %+v", it, want)
		}
	}
	bad := outboundItem(u)
	bad.Body.Data = make([]byte, metadata.MaxOutboundData+1)
	_, err = f.s.Enqueue(f.ctx(), []metadata.Enqueue{{Item: bad}})
	f.wantKind(err, mailerr.TooBig)
	bad = outboundItem(u)
	bad.To = "a\r\nb"
	_, err = f.s.Enqueue(f.ctx(), []metadata.Enqueue{{Item: bad}})
	f.wantKind(err, mailerr.Invalid)
}

func testEnqueueOnce(f *fixture) {
	u := f.user()
	once := &metadata.HandleUse{Handle: metadata.Handle{1}, TTL: time.Hour}
	enqueue := func(it metadata.OutboundItem, want bool) {
		f.Helper()
		queued, err := f.s.Enqueue(f.ctx(), []metadata.Enqueue{{Item: it, Once: once}})
		f.must(err)
		if queued[0] != want {
			f.Fatalf("queued is %v", queued[0])
		}
	}
	it := outboundItem(u)
	enqueue(it, true)
	enqueue(it, false)
	enqueue(outboundItem(u), false)
	if n := len(f.queue(u, true)); n != 1 {
		f.Fatalf("%d items", n)
	}
	f.must(f.s.SettleHandles(f.ctx(), u.id, []metadata.HandleUse{{Handle: once.Handle, TTL: -time.Second}}))
	enqueue(outboundItem(u), true)
}

func testOutboundLeases(f *fixture) {
	u := f.user()
	it := outboundItem(u)
	f.enqueue(it)
	if got := f.claim(u, "n1", time.Hour); len(got) != 1 {
		f.Fatalf("%d items", len(got))
	}
	if got := f.claim(u, "n2", time.Hour); len(got) != 0 {
		f.Fatalf("leased twice")
	}
	held, err := f.s.RenewOutbound(f.ctx(), "n2", time.Hour, ids(it))
	f.must(err)
	if len(held) != 0 {
		f.Fatal("renewed by another")
	}
	held, err = f.s.RenewOutbound(f.ctx(), "n1", -time.Second, ids(it)) // over at once
	f.must(err)
	if len(held) != 1 || held[0] != it.ID {
		f.Fatal(held)
	}
	if got := f.claim(u, "n2", time.Hour); len(got) != 1 || got[0].Attempts != 2 {
		f.Fatalf("%+v", got)
	}
	held, err = f.s.RenewOutbound(f.ctx(), "n1", time.Hour, ids(it))
	f.must(err)
	if len(held) != 0 {
		f.Fatal("renewed after it was lost")
	}
	bounce := outboundItem(u)
	f.must(f.s.FinishOutbound(f.ctx(), "n1", []metadata.OutboundResult{{ID: it.ID, State: metadata.OutboundFailed, Then: []metadata.Enqueue{{Item: bounce}}}}))
	if got := f.queue(u, true); len(got) != 1 || got[0].Holder != "n2" || got[0].State != metadata.OutboundWaiting {
		f.Fatalf("%+v", got)
	}
}

func testOutboundResults(f *fixture) {
	u := f.user()
	sent, failed, later := outboundItem(u), outboundItem(u), outboundItem(u)
	sent.Body = metadata.OutboundBody{Pack: metadata.NewPackID(at), Length: 3}
	f.enqueue(sent, failed, later)
	f.claim(u, "n1", time.Hour)
	bounce := outboundItem(u)
	f.must(f.s.FinishOutbound(f.ctx(), "n1", []metadata.OutboundResult{
		{ID: sent.ID, State: metadata.OutboundSent, Delay: time.Hour},
		{ID: failed.ID, State: metadata.OutboundFailed, Delay: time.Hour, Error: "550 no\nsuch user", Then: []metadata.Enqueue{{Item: bounce}}},
		{ID: later.ID, State: metadata.OutboundWaiting, Delay: time.Hour, Error: "451 later"},
	}))
	state := map[metadata.OutboundID]metadata.OutboundItem{}
	for _, it := range f.queue(u, true) {
		state[it.ID] = it
	}
	if len(state) != 4 || state[sent.ID].State != metadata.OutboundSent || state[failed.ID].State != metadata.OutboundFailed ||
		state[failed.ID].LastError != "550 no\nsuch user" || state[later.ID].State != metadata.OutboundWaiting || state[later.ID].Holder != "" ||
		state[later.ID].LastError != "451 later" || time.Until(state[later.ID].Next) < 30*time.Minute {
		f.Fatalf("%+v", state)
	}
	if n := len(f.queue(u, false)); n != 2 {
		f.Fatalf("%d wait", n)
	}
	if packs, err := f.s.OutboundPacks(f.ctx(), []metadata.PackID{sent.Body.Pack}); err != nil || len(packs) != 0 {
		f.Fatal(packs, err)
	}
	if again := f.enqueue(sent, failed, later); fmt.Sprint(again) != "[false false false]" {
		f.Fatalf("enqueued again: %v", again)
	}
	if got := f.claim(u, "n2", time.Hour); len(got) != 1 || got[0].ID != bounce.ID {
		f.Fatalf("%+v", got)
	}
}

func testOutboundAdministration(f *fixture) {
	u := f.user()
	a, b := outboundItem(u), outboundItem(u)
	f.enqueue(a, b)
	f.claim(u, "n1", time.Hour)
	if n, err := f.s.RetryOutbound(f.ctx(), ids(a)); err != nil || n != 0 {
		f.Fatalf("%d retried while leased, %v", n, err)
	}
	f.must(f.s.FinishOutbound(f.ctx(), "n1", []metadata.OutboundResult{{ID: a.ID, Delay: time.Hour}}))
	if n, err := f.s.RetryOutbound(f.ctx(), ids(a, b)); err != nil || n != 1 {
		f.Fatalf("%d retried, %v", n, err)
	}
	if got := f.claim(u, "n2", time.Hour); len(got) != 1 || got[0].ID != a.ID {
		f.Fatalf("%+v", got)
	}
	if n, err := f.s.DropOutbound(f.ctx(), append(ids(a), metadata.NewOutboundID()), time.Hour); err != nil || n != 1 {
		f.Fatalf("%d dropped, %v", n, err)
	}
	if n, err := f.s.DropOutbound(f.ctx(), ids(a), time.Hour); err != nil || n != 0 {
		f.Fatalf("%d dropped again, %v", n, err)
	}
	f.must(f.s.FinishOutbound(f.ctx(), "n2", []metadata.OutboundResult{{ID: a.ID, State: metadata.OutboundSent}}))
	for _, it := range f.queue(u, true) {
		if it.ID == a.ID && it.State != metadata.OutboundDropped {
			f.Fatalf("%+v", it)
		}
	}
}

func testOutboundExpires(f *fixture) {
	u := f.user()
	gone, stays, waits := outboundItem(u), outboundItem(u), outboundItem(u)
	f.enqueue(gone, stays, waits)
	f.claim(u, "n1", -time.Second)
	f.must(f.s.FinishOutbound(f.ctx(), "n1", []metadata.OutboundResult{
		{ID: gone.ID, State: metadata.OutboundSent, Delay: -time.Second}, {ID: stays.ID, State: metadata.OutboundSent, Delay: time.Hour}}))
	for {
		n, err := f.s.ExpireOutbound(f.ctx(), 8)
		f.must(err)
		if n == 0 {
			break
		}
	}
	left := map[metadata.OutboundID]bool{}
	for _, it := range f.queue(u, true) {
		left[it.ID] = true
	}
	if left[gone.ID] || !left[stays.ID] || !left[waits.ID] {
		f.Fatalf("%v", left)
	}
}

func testConcurrentClaims(f *fixture) {
	u := f.user()
	const n = 100
	for range n {
		f.enqueue(outboundItem(u))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	claimed := map[metadata.OutboundID]int{}
	for w := range 4 {
		wg.Go(func() {
			for {
				items, err := f.s.ClaimOutbound(f.ctx(), fmt.Sprint("w", w), time.Hour, 8)
				if err != nil {
					f.Error(err)
					return
				}
				mu.Lock()
				for _, it := range items {
					claimed[it.ID]++
				}
				mu.Unlock()
				if len(items) == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, it := range f.queue(u, false) {
		if claimed[it.ID] > 1 {
			f.Fatalf("%d leases of one item", claimed[it.ID])
		}
	}
	f.claim(u, "rest", time.Hour)
}
