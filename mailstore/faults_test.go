package mailstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// hooks is a cluster's stores with something done around their calls.
type hooks struct {
	metadata.Store
	append        func(b metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error)
	modSeqs       func(do func() (map[metadata.MailboxID]metadata.ModSeq, error)) (map[metadata.MailboxID]metadata.ModSeq, error)
	changesSince  func(do func() (*metadata.Changes, error)) (*metadata.Changes, error)
	bodyLocations func(do func() ([]metadata.Body, error)) ([]metadata.Body, error)
}

func (h *hooks) Append(ctx context.Context, b metadata.AppendBatch) ([]metadata.AppendResult, error) {
	do := func() ([]metadata.AppendResult, error) { return h.Store.Append(ctx, b) }
	if h.append == nil {
		return do()
	}
	return h.append(b, do)
}

func (h *hooks) ModSeqs(ctx context.Context, ids []metadata.MailboxID) (map[metadata.MailboxID]metadata.ModSeq, error) {
	do := func() (map[metadata.MailboxID]metadata.ModSeq, error) { return h.Store.ModSeqs(ctx, ids) }
	if h.modSeqs == nil {
		return do()
	}
	return h.modSeqs(do)
}

func (h *hooks) ChangesSince(ctx context.Context, id metadata.MailboxID, since metadata.ModSeq) (*metadata.Changes, error) {
	do := func() (*metadata.Changes, error) { return h.Store.ChangesSince(ctx, id, since) }
	if h.changesSince == nil {
		return do()
	}
	return h.changesSince(do)
}

func (h *hooks) BodyLocations(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	do := func() ([]metadata.Body, error) { return h.Store.BodyLocations(ctx, account, ids) }
	if h.bodyLocations == nil {
		return do()
	}
	return h.bodyLocations(do)
}

type blobHooks struct {
	blobstore.Store
	put func(ctx context.Context, key string, do func() error) error
}

func (h *blobHooks) Put(ctx context.Context, key string, data []byte) error {
	do := func() error { return h.Store.Put(ctx, key, data) }
	if h.put == nil {
		return do()
	}
	return h.put(ctx, key, do)
}

type noteHints struct {
	notify.Notifier
	published func(...notify.Hint)
}

func (n *noteHints) Publish(ctx context.Context, hints ...notify.Hint) {
	n.published(hints...)
	n.Notifier.Publish(ctx, hints...)
}

// hooked starts a node over hooks.
func (c *cluster) hooked() (*mailstore.Store, *hooks, *blobHooks) {
	m, b := &hooks{Store: c.meta}, &blobHooks{Store: c.blobs}
	return c.node(func(cfg *mailstore.Config) { cfg.Metadata, cfg.Blobs = m, b }), m, b
}

func deliver(c *cluster, s *mailstore.Store, rcpts ...metadata.AccountID) []mailstore.Delivered {
	list := make([]mailstore.Recipient, len(rcpts))
	for i, a := range rcpts {
		list[i].Account = a
	}
	return s.Deliver(c.ctx, c.stage(s, mail("x")), list)
}

func TestWriteOrder(t *testing.T) {
	c := newCluster(t)
	var (
		mu        sync.Mutex
		durable   = map[string]bool{}
		committed = map[metadata.MailboxID]metadata.ModSeq{}
		hinted    = map[metadata.MailboxID]metadata.ModSeq{}
	)
	m, b := &hooks{Store: c.meta}, &blobHooks{Store: c.blobs}
	b.put = func(_ context.Context, key string, do func() error) error {
		err := do()
		mu.Lock()
		defer mu.Unlock()
		durable[key] = err == nil
		return err
	}
	m.append = func(batch metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		mu.Lock()
		for _, it := range batch.Items {
			if !durable[blobstore.PackKey(blobstore.PackID(it.Body.Pack))] {
				t.Error("rows are written before their body is durable")
			}
			if !slices.ContainsFunc(batch.Packs, func(p metadata.Pack) bool { return p.ID == it.Body.Pack }) {
				t.Error("a body without its pack's row")
			}
		}
		mu.Unlock()
		res, err := do()
		mu.Lock()
		defer mu.Unlock()
		for i, r := range res {
			if r.Err == nil {
				committed[batch.Items[i].Mailbox] = max(committed[batch.Items[i].Mailbox], r.ModSeq)
			}
		}
		return res, err
	}
	n := &noteHints{Notifier: c.hints, published: func(hints ...notify.Hint) {
		mu.Lock()
		defer mu.Unlock()
		for _, h := range hints {
			id := metadata.MailboxID(h.Mailbox)
			if metadata.ModSeq(h.ModSeq) > committed[id] {
				t.Error("a hint before its commit")
			}
			hinted[id] = max(hinted[id], metadata.ModSeq(h.ModSeq))
		}
	}}
	s := c.node(func(cfg *mailstore.Config) { cfg.Metadata, cfg.Blobs, cfg.Notify = m, b, n })
	accounts := []metadata.AccountID{c.account(), c.account(), c.account()}
	inboxes := map[metadata.AccountID]metadata.MailboxID{}
	for _, a := range accounts {
		row, err := c.meta.Mailbox(c.ctx, a, "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		inboxes[a] = row.ID
	}
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			a := accounts[i%3]
			d := deliver(c, s, a)[0]
			if d.Err != nil {
				t.Error(d.Err)
			}
			mu.Lock()
			defer mu.Unlock()
			if hinted[inboxes[a]] == 0 {
				t.Error("an answer before any hint")
			}
		})
	}
	wg.Wait()
}

func TestPutFails(t *testing.T) {
	c := newCluster(t)
	s, m, b := c.hooked()
	a := c.account()
	for _, cause := range []error{errors.New("plain"), mailerr.New("x", mailerr.NotFound, ""), mailerr.New("x", mailerr.Unavailable, "")} {
		b.put = func(context.Context, string, func() error) error { return cause }
		m.append = func(metadata.AppendBatch, func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
			t.Error("Append although the body is not durable")
			return nil, errors.New("no")
		}
		if d := deliver(c, s, a)[0]; !mailerr.Is(d.Err, mailerr.Unavailable) {
			t.Errorf("PUT fails with %v: %v, want Unavailable", cause, d.Err)
		}
	}
	b.put, m.append = nil, nil
	if d := deliver(c, s, a)[0]; d.Err != nil || d.UID != 1 {
		t.Errorf("after the outage: %+v", d)
	}
}

func TestAppendFails(t *testing.T) {
	c := newCluster(t)
	s, m, _ := c.hooked()
	good, bad := c.account(), c.account()
	m.append = func(b metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		return nil, mailerr.New("x", mailerr.Unavailable, "")
	}
	if d := deliver(c, s, good)[0]; !mailerr.Is(d.Err, mailerr.Unavailable) {
		t.Errorf("database down: %v", d.Err)
	}
	// One item that the database refuses spoils only itself.
	m.append = func(b metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		if slices.ContainsFunc(b.Items, func(it metadata.AppendItem) bool { return it.Account == bad }) {
			return nil, mailerr.New("x", mailerr.Internal, "")
		}
		return do()
	}
	out := deliver(c, s, good, good, bad, good, good)
	for i, d := range out {
		if want := i == 2; mailerr.Is(d.Err, mailerr.Internal) != want || (d.Err != nil) != want {
			t.Errorf("recipient %d: %v", i, d.Err)
		}
	}
	// The database says no after it did it: nothing is answered as stored, nothing is there twice.
	m.append = func(_ metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		if _, err := do(); err != nil {
			t.Error(err)
		}
		return nil, mailerr.New("x", mailerr.Unavailable, "")
	}
	if d := deliver(c, s, good)[0]; !mailerr.Is(d.Err, mailerr.Unavailable) {
		t.Errorf("ambiguous commit: %v", d.Err)
	}
	m.append = nil
	if n := c.open(s.User(good), "INBOX").NumMessages(); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
}

func TestPanicInLane(t *testing.T) {
	c := newCluster(t)
	s, m, b := c.hooked()
	a := c.account()
	for range 10 { // more often than there are packers and committers
		b.put = func(context.Context, string, func() error) error { panic("put") }
		if d := deliver(c, s, a)[0]; !mailerr.Is(d.Err, mailerr.Internal) {
			t.Fatalf("panic in Put: %v", d.Err)
		}
		b.put = nil
		m.append = func(metadata.AppendBatch, func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
			panic("append")
		}
		if d := deliver(c, s, a)[0]; !mailerr.Is(d.Err, mailerr.Internal) {
			t.Fatalf("panic in Append: %v", d.Err)
		}
		m.append = nil
	}
	if d := deliver(c, s, a)[0]; d.Err != nil || d.UID != 1 {
		t.Errorf("after the panics: %+v", d)
	}
}

// gate lets calls wait until it is opened, and tells of each that came.
type gate struct {
	arrived chan struct{}
	open    chan struct{}
}

func newGate() *gate { return &gate{arrived: make(chan struct{}, 1000), open: make(chan struct{})} }

func (g *gate) pass(ctx context.Context) error {
	g.arrived <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return mailerr.Wrap("gate", mailerr.Unavailable, ctx.Err())
	}
}

func TestCallerStopsWaiting(t *testing.T) {
	c := newCluster(t)
	s, _, b := c.hooked()
	a := c.account()
	g := newGate()
	b.put = func(ctx context.Context, _ string, do func() error) error {
		if err := g.pass(ctx); err != nil {
			return err
		}
		return do()
	}
	ctx, cancel := context.WithCancel(c.ctx)
	results := make(chan mailstore.Delivered, 10)
	send := func() {
		st := c.stage(s, mail("x"))
		go func() { results <- s.Deliver(ctx, st, []mailstore.Recipient{{Account: a}})[0] }()
	}
	const packers = 4
	for range packers { // hold them all
		send()
		<-g.arrived
	}
	for range 5 {
		send() // these only wait
	}
	cancel()
	for range packers + 5 {
		if d := <-results; !mailerr.Is(d.Err, mailerr.Unavailable) {
			t.Errorf("the caller stopped waiting: %+v", d)
		}
	}
	close(g.open)
	if d := deliver(c, s, a)[0]; d.Err != nil {
		t.Fatal(d.Err)
	}
	// Those in hand were stored; the others were not begun, and their senders will send again.
	if err := s.Close(c.ctx); err != nil {
		t.Fatal(err)
	}
	if n := c.open(c.node(nil).User(a), "INBOX").NumMessages(); n != packers+1 {
		t.Errorf("%d messages, want %d", n, packers+1)
	}
}

func TestWaitingMessagesShareAPack(t *testing.T) {
	c := newCluster(t)
	s, m, b := c.hooked()
	accounts := []metadata.AccountID{c.account(), c.account(), c.account(), c.account()}
	g := newGate()
	var puts, appends atomic.Int32
	var mu sync.Mutex
	busy := map[metadata.AccountID]bool{}
	b.put = func(ctx context.Context, _ string, do func() error) error {
		if puts.Add(1) <= 2 {
			if err := g.pass(ctx); err != nil {
				return err
			}
		}
		return do()
	}
	m.append = func(b metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		appends.Add(1)
		mine := map[metadata.AccountID]bool{}
		mu.Lock()
		for _, it := range b.Items {
			if busy[it.Account] && !mine[it.Account] {
				t.Error("two commits for one account at once")
			}
			busy[it.Account], mine[it.Account] = true, true
		}
		mu.Unlock()
		res, err := do()
		mu.Lock()
		for a := range mine {
			delete(busy, a)
		}
		mu.Unlock()
		return res, err
	}
	var wg sync.WaitGroup
	var waiting sync.WaitGroup
	for i := range 300 {
		st := c.stage(s, mail(fmt.Sprint(i)))
		waiting.Add(1)
		wg.Go(func() {
			waiting.Done()
			if d := s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: accounts[i%4]}})[0]; d.Err != nil {
				t.Error(d.Err)
			}
		})
		if i < 2 { // a pack of its own each, however slowly packers come to run
			<-g.arrived
		}
	}
	waiting.Wait()
	close(g.open)
	wg.Wait()
	if n := puts.Load(); n > 30 {
		t.Errorf("%d packs for 300 messages that waited", n)
	}
	if n := appends.Load(); n > 60 {
		t.Errorf("%d transactions for 300 messages that waited", n)
	}
}

func TestCommitsOfOneAccountDoNotMeet(t *testing.T) {
	c := newCluster(t)
	s, m, _ := c.hooked()
	a, other := c.account(), c.account()
	g := newGate()
	var running atomic.Int32
	m.append = func(b metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		if b.Items[0].Account == a {
			if running.Add(1) > 1 {
				t.Error("two commits for one account at once")
			}
			defer running.Add(-1)
			if err := g.pass(context.Background()); err != nil {
				return nil, err
			}
		}
		return do()
	}
	var wg sync.WaitGroup
	wg.Go(func() { deliver(c, s, a) })
	<-g.arrived
	for range 3 {
		wg.Go(func() { deliver(c, s, a) })
	}
	// An account whose commit takes long is in nobody else's way.
	for i := range 20 {
		if d := deliver(c, s, other)[0]; d.Err != nil || d.UID != metadata.UID(i+1) {
			t.Fatalf("%+v", d)
		}
	}
	close(g.open)
	wg.Wait()
}

func TestMailboxGoesBeforeCommit(t *testing.T) {
	c := newCluster(t)
	s, m, _ := c.hooked()
	a := c.account("Lists")
	lists, err := c.meta.Mailbox(c.ctx, a, "Lists")
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	m.append = func(_ metadata.AppendBatch, do func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		once.Do(func() {
			if err := c.meta.DeleteMailbox(c.ctx, a, lists.ID); err != nil {
				t.Error(err)
			}
		})
		return do()
	}
	d := s.Deliver(c.ctx, c.stage(s, mail("kept")), []mailstore.Recipient{{Account: a, Mailbox: "Lists"}})[0]
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	sel := c.open(s.User(a), "INBOX")
	if got := c.text(sel, d.UID); got != mail("kept") {
		t.Errorf("INBOX has %q", got)
	}
	if keys := packKeys(c); len(keys) != 1 {
		t.Errorf("the body was stored %d times", len(keys))
	}
}

func TestCloseIsBounded(t *testing.T) {
	c := newCluster(t)
	s, _, b := c.hooked()
	a := c.account()
	g := newGate()
	b.put = func(ctx context.Context, _ string, _ func() error) error { return g.pass(ctx) }
	result := make(chan mailstore.Delivered, 1)
	st := c.stage(s, mail("x"))
	go func() { result <- s.Deliver(context.Background(), st, []mailstore.Recipient{{Account: a}})[0] }()
	<-g.arrived
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if err := s.Close(ctx); err == nil {
		t.Error("Close with a delivery in hand said nothing")
	}
	if d := <-result; !mailerr.Is(d.Err, mailerr.Unavailable) {
		t.Errorf("%+v", d)
	}
}

// A look at the database that began before a change was acknowledged may not have seen it.
func TestFreshLooksAfterTheCall(t *testing.T) {
	c := newCluster(t)
	m := &hooks{Store: c.meta}
	s := c.node(func(cfg *mailstore.Config) { cfg.Metadata, cfg.Notify = m, deaf{} })
	other := c.node(func(cfg *mailstore.Config) { cfg.Notify = deaf{} })
	account := c.account()
	first, second := c.open(s.User(account), "INBOX"), c.open(s.User(account), "INBOX")
	g := newGate()
	m.modSeqs = func(do func() (map[metadata.MailboxID]metadata.ModSeq, error)) (map[metadata.MailboxID]metadata.ModSeq, error) {
		res, err := do()
		if gated := g.pass(context.Background()); gated != nil {
			return nil, gated
		}
		return res, err
	}
	done := make(chan struct{})
	go func() { defer close(done); c.sync(first, fresh) }()
	<-g.arrived // the first look was answered, but has not come back
	c.append(other.User(account), other, "INBOX", mail("x"))
	updates := make(chan *mailstore.Updates, 1)
	go func() { updates <- c.sync(second, fresh) }()
	close(g.open)
	<-done
	if u := <-updates; !u.Exists {
		t.Error("Fresh was satisfied by a look that began before")
	}
}

func TestStageWaitsForMemory(t *testing.T) {
	c := newCluster(t)
	s := c.node(func(cfg *mailstore.Config) { cfg.StageBytes = 64 << 10 })
	noise := make([]byte, 48<<10)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // does not compress
	ended, cancel := context.WithCancel(c.ctx)
	cancel()
	// A context that has ended shows whether there is anything to wait for.
	full := func() bool {
		st, err := s.Stage(ended, bytes.NewReader(noise), 0)
		if err == nil {
			st.Discard()
		} else if !mailerr.Is(err, mailerr.Unavailable) {
			t.Errorf("%v, want Unavailable", err)
		}
		return err != nil
	}
	var held []*mailstore.Staged
	for len(held) < 9 { // one from the budget, eight overdrafts
		held = append(held, c.stage(s, string(noise)))
	}
	if !full() {
		t.Fatal("memory is not bounded")
	}
	waited := make(chan *mailstore.Staged)
	go func() {
		st, err := s.Stage(c.ctx, bytes.NewReader(noise), 0)
		if err != nil {
			t.Error(err)
		}
		waited <- st
	}()
	held[8].Discard()
	held[8] = <-waited
	if !full() {
		t.Error("memory is not bounded any more")
	}
	for _, st := range held {
		st.Discard()
	}
	if full() {
		t.Error("memory was not given back")
	}
}

func TestBodyWasMoved(t *testing.T) {
	c := newCluster(t)
	s, m, _ := c.hooked()
	u := s.User(c.account())
	uid := c.append(u, s, "INBOX", mail("moved"))
	sel := c.open(u, "INBOX")
	var id metadata.BodyID
	if err := sel.Messages(c.ctx, metadata.UIDSetOf(uid), func(_ mailstore.SeqNum, msg *metadata.Message, _ bool) bool {
		id = msg.Body
		return true
	}); err != nil {
		t.Fatal(err)
	}
	bodies, err := sel.Bodies(c.ctx, []metadata.BodyID{id})
	if err != nil {
		t.Fatal(err)
	}
	body := bodies[id]
	r := sel.OpenBody(body)
	if err := c.blobs.Delete(c.ctx, packKeys(c)[0]); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, r.Size())
	if _, err := r.ReadAt(c.ctx, p, 0); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("the object store has no such object: %v, want Unavailable", err)
	}
	pack := blobstore.NewBuilder(blobstore.PackID(metadata.NewPackID(time.Now())))
	loc := pack.Add(blobstore.Compress([]byte(mail("moved"))))
	if _, err := pack.Put(c.ctx, c.blobs); err != nil {
		t.Fatal(err)
	}
	m.bodyLocations = func(do func() ([]metadata.Body, error)) ([]metadata.Body, error) {
		list, err := do()
		for i := range list {
			list[i].Pack, list[i].Offset, list[i].Length, list[i].Frames = metadata.PackID(loc.Pack), loc.Offset, loc.Length, loc.Frames
		}
		return list, err
	}
	if _, err := r.ReadAt(c.ctx, p, 0); err != nil || string(p) != mail("moved") {
		t.Errorf("after compaction: %q, %v", p, err)
	}
}

// putCounter counts the objects that were put.
func putCounter(n *atomic.Int64) func(context.Context, string, func() error) error {
	return func(_ context.Context, _ string, do func() error) error {
		n.Add(1)
		return do()
	}
}
