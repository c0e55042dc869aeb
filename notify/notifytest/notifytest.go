package notifytest

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/notify"
)

// patience is how long a test waits for what must happen; it is over only when a test fails.
const patience = time.Minute

// Run tests the notifiers that open returns, each one a node of its own. Run closes them.
func Run(t *testing.T, open func(t *testing.T) notify.Notifier) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, n notify.Notifier)
	}{
		{"OwnHints", testOwnHints},
		{"OnlyTheAccounts", testOnlyTheAccounts},
		{"SharedChannel", testSharedChannel},
		{"CloseSubscription", testCloseSubscription},
		{"CloseInHint", testCloseInHint},
		{"Resubscribe", testResubscribe},
		{"Concurrent", testConcurrent},
		{"AfterClose", testAfterClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := open(t)
			c.test(t, n)
			if err := n.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// RunCluster tests several nodes that open returns: what one publishes all others hear, once.
func RunCluster(t *testing.T, open func(t *testing.T) notify.Notifier) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, a, b notify.Notifier)
	}{
		{"OtherNodes", testOtherNodes},
		{"ManyAccounts", testManyAccounts},
		{"SubscribedMeansSubscribed", testSubscribedMeansSubscribed},
		{"UnsubscribedHearsNothing", testUnsubscribedHearsNothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t), open(t)
			WaitHealthy(t, a)
			WaitHealthy(t, b)
			c.test(t, a, b)
			for _, n := range []notify.Notifier{a, b} {
				if err := n.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
	}
}

// WaitHealthy waits until hints are expected to arrive.
func WaitHealthy(t testing.TB, n notify.Notifier) {
	t.Helper()
	waitFor(t, "Healthy", n.Healthy)
}

// WaitUnhealthy waits until they are not.
func WaitUnhealthy(t testing.TB, n notify.Notifier) {
	t.Helper()
	waitFor(t, "not Healthy", func() bool { return !n.Healthy() })
}

// waitFor polls: Healthy has no channel to wait on.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// ID returns a random id: tests may share a server.
func ID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// Ear collects hints.
type Ear struct {
	mu    sync.Mutex
	hints []notify.Hint // guarded by mu
	heard chan struct{}
}

// NewEar returns an Ear; its Hear is for Subscribe.
func NewEar() *Ear { return &Ear{heard: make(chan struct{}, 1)} }

// Hear takes a hint.
func (e *Ear) Hear(h notify.Hint) {
	e.mu.Lock()
	e.hints = append(e.hints, h)
	e.mu.Unlock()
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

// Hints returns what was heard so far.
func (e *Ear) Hints() []notify.Hint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]notify.Hint(nil), e.hints...)
}

// WaitFor waits until the hint was heard.
func (e *Ear) WaitFor(t testing.TB, want notify.Hint) { t.Helper(); e.waitFor(t, want, nil, nil) }

// waitFor calls again each time when hints may have been missed.
func (e *Ear) waitFor(t testing.TB, want notify.Hint, missed <-chan struct{}, again func()) {
	t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		for _, h := range e.Hints() {
			if h == want {
				return
			}
		}
		select {
		case <-e.heard:
		case <-missed:
			again()
		case <-end.C:
			t.Fatalf("not heard: %+v among %d hints", want, len(e.Hints()))
		}
	}
}

// missedBy receives a value when n says that hints may have been missed: a server that is slow to confirm a subscription is not waited
// for without end.
func missedBy(n notify.Notifier) <-chan struct{} {
	missed := make(chan struct{}, 1)
	n.OnRecover(func() {
		select {
		case missed <- struct{}{}:
		default:
		}
	})
	return missed
}

// connect makes sure that what from publishes for the account comes to to, until the test ends.
func connect(t *testing.T, from, to notify.Notifier, account [16]byte) {
	t.Helper()
	ear, missed := NewEar(), missedBy(to)
	t.Cleanup(to.Subscribe(account, ear.Hear).Close)
	h := notify.Hint{Account: account, Mailbox: ID()}
	for heard := false; !heard; { // the last one of all has come: none is on its way
		h.ModSeq++
		from.Publish(t.Context(), h)
		heard = true
		ear.waitFor(t, h, missed, func() {
			heard = false
			from.Publish(t.Context(), h)
		})
	}
}

func testOwnHints(t *testing.T, n notify.Notifier) {
	ear, account := NewEar(), ID()
	defer n.Subscribe(account, ear.Hear).Close()
	list := notify.Hint{Account: account, ModSeq: 1}
	box := notify.Hint{Account: account, Mailbox: ID(), ModSeq: 1<<63 + 5}
	n.Publish(t.Context(), list, box)
	// A node's own hints need no network.
	if got := ear.Hints(); len(got) != 2 || got[0] != list || got[1] != box {
		t.Errorf("heard %+v", got)
	}
	n.Publish(t.Context())
}

func testOnlyTheAccounts(t *testing.T, n notify.Notifier) {
	ear, other, account := NewEar(), NewEar(), ID()
	defer n.Subscribe(account, ear.Hear).Close()
	defer n.Subscribe(ID(), other.Hear).Close()
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 1}, notify.Hint{Account: ID(), ModSeq: 2})
	if len(ear.Hints()) != 1 || len(other.Hints()) != 0 {
		t.Errorf("heard %+v and %+v", ear.Hints(), other.Hints())
	}
}

func testSharedChannel(t *testing.T, n notify.Notifier) {
	account := ID()
	first, second := NewEar(), NewEar()
	s1 := n.Subscribe(account, first.Hear)
	s2 := n.Subscribe(account, second.Hear)
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 1})
	s1.Close()
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 2})
	s2.Close()
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 3})
	if len(first.Hints()) != 1 || len(second.Hints()) != 2 {
		t.Errorf("heard %d and %d, want 1 and 2", len(first.Hints()), len(second.Hints()))
	}
}

func testCloseSubscription(t *testing.T, n notify.Notifier) {
	ear, account := NewEar(), ID()
	s := n.Subscribe(account, ear.Hear)
	s.Close()
	s.Close()
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 1})
	if len(ear.Hints()) != 0 {
		t.Errorf("heard %+v after Close", ear.Hints())
	}
}

// testCloseInHint closes a subscription under a lock that its fn takes.
func testCloseInHint(t *testing.T, n notify.Notifier) {
	account := ID()
	var mu sync.Mutex
	s := n.Subscribe(account, func(notify.Hint) {
		mu.Lock()
		defer mu.Unlock()
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: uint64(i)})
		}
	}()
	mu.Lock()
	s.Close()
	mu.Unlock()
	<-done
}

func testResubscribe(t *testing.T, n notify.Notifier) {
	account := ID()
	for i := range 50 {
		ear := NewEar()
		s := n.Subscribe(account, ear.Hear)
		n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: uint64(i)})
		s.Close()
		if len(ear.Hints()) != 1 {
			t.Fatalf("round %d: heard %+v", i, ear.Hints())
		}
	}
}

func testConcurrent(t *testing.T, n notify.Notifier) {
	accounts := [4][16]byte{ID(), ID(), ID(), ID()}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				account := accounts[(g+i)%len(accounts)]
				ear := NewEar()
				s := n.Subscribe(account, ear.Hear)
				h := notify.Hint{Account: account, Mailbox: ID(), ModSeq: uint64(i)}
				n.Publish(t.Context(), h)
				ear.WaitFor(t, h)
				s.Close()
				_ = n.Healthy()
			}
		})
	}
	wg.Wait()
}

func testAfterClose(t *testing.T, n notify.Notifier) {
	ear, account := NewEar(), ID()
	before := n.Subscribe(account, ear.Hear)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	after := n.Subscribe(account, ear.Hear)
	n.Publish(t.Context(), notify.Hint{Account: account, ModSeq: 1})
	before.Close()
	after.Close()
	if len(ear.Hints()) != 0 {
		t.Errorf("heard %+v after Close", ear.Hints())
	}
}

func testOtherNodes(t *testing.T, a, b notify.Notifier) {
	account := ID()
	earA, earB := NewEar(), NewEar()
	connect(t, a, b, account)
	connect(t, b, a, account)
	defer a.Subscribe(account, earA.Hear).Close()
	defer b.Subscribe(account, earB.Hear).Close()
	h := notify.Hint{Account: account, Mailbox: ID(), ModSeq: 7}
	a.Publish(t.Context(), h)
	earB.WaitFor(t, h)
	// What b sends now comes to a behind a's own hint, if that should come back.
	answer := notify.Hint{Account: account, Mailbox: ID(), ModSeq: 8}
	b.Publish(t.Context(), answer)
	earA.WaitFor(t, answer)
	if got := earA.Hints(); len(got) != 2 || got[0] != h {
		t.Errorf("the publisher heard %+v, want its own hint once", got)
	}
	if got := earB.Hints(); len(got) != 2 {
		t.Errorf("the other node heard %+v", got)
	}
}

func testManyAccounts(t *testing.T, a, b notify.Notifier) {
	const n = 3000
	ear, missed := NewEar(), missedBy(b)
	var hints []notify.Hint
	var wg sync.WaitGroup
	subs := make([]notify.Subscription, n)
	for i := range n {
		hints = append(hints, notify.Hint{Account: ID(), Mailbox: ID(), ModSeq: uint64(i)})
	}
	for g := range 10 {
		wg.Go(func() {
			for i := g; i < n; i += 10 {
				subs[i] = b.Subscribe(hints[i].Account, ear.Hear)
			}
		})
	}
	wg.Wait()
	publish := func() { a.Publish(t.Context(), hints...) }
	publish()
	for _, h := range hints[n-100:] {
		ear.waitFor(t, h, missed, publish)
	}
	waitFor(t, "all hints", func() bool {
		select {
		case <-missed:
			publish()
		default:
		}
		heard := map[notify.Hint]bool{}
		for _, h := range ear.Hints() {
			heard[h] = true
		}
		return len(heard) == n
	})
	for _, s := range subs {
		s.Close()
	}
}

// testSubscribedMeansSubscribed: a hint published after Subscribe returned is heard, or the node is told that it may have missed some.
func testSubscribedMeansSubscribed(t *testing.T, a, b notify.Notifier) {
	missed := missedBy(b)
	for i := range 200 {
		ear, account := NewEar(), ID()
		if i%2 == 0 { // a channel that is being given up
			b.Subscribe(account, func(notify.Hint) {}).Close()
		}
		s := b.Subscribe(account, ear.Hear)
		h := notify.Hint{Account: account, ModSeq: uint64(i)}
		publish := func() { a.Publish(t.Context(), h) }
		publish()
		ear.waitFor(t, h, missed, publish)
		s.Close()
	}
}

func testUnsubscribedHearsNothing(t *testing.T, a, b notify.Notifier) {
	gone, there := ID(), ID()
	earGone, earThere := NewEar(), NewEar()
	connect(t, a, b, there)
	b.Subscribe(gone, earGone.Hear).Close()
	defer b.Subscribe(there, earThere.Hear).Close()
	h := notify.Hint{Account: there, ModSeq: 2}
	a.Publish(t.Context(), notify.Hint{Account: gone, ModSeq: 1}, h)
	earThere.WaitFor(t, h)
	if len(earGone.Hints()) != 0 {
		t.Errorf("heard %+v", earGone.Hints())
	}
}
