package mailstore

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// packers is how many packs may be on their way at once.
	packers = 4
	// patience is how long a pack or a transaction is waited for before the next is begun beside it. One at a time makes the
	// largest batches, and is fastest while storage is quick; patience bounds what a slow one costs the others.
	patience = 20 * time.Millisecond

	maxPackBytes  = 8 << 20 // compressed bytes of bodies in one pack; a first body may be larger
	maxPackBodies = 512

	maxCommitItems = 512
	maxLocated     = 4 * maxCommitItems // items waiting for a commit beyond which packers wait
	maxCommitBytes = 2 << 20            // summaries and prefixes in one transaction; CockroachDB wants it small

	// The lanes' own bounds. A caller's context usually ends first; these see to it that a hanging server does not
	// hold a lane for ever.
	packTimeout   = 2 * time.Minute
	commitTimeout = time.Minute
)

// lanes is group commit: see docs/decisions/0003-lanes.md. Deliveries wait in staged until a packer takes all of them, writes
// one pack and moves their items to located, where they wait until a committer takes all of them that it may: not those of
// an account that another committer has in hand. So no two transactions of this node want one account's clock row, and an
// account's items are committed in the order in which they became durable.
type lanes struct {
	s *Store

	mu      sync.Mutex
	staged  []*delivery                     // guarded by mu: want a pack
	located []*item                         // guarded by mu: want a commit
	queued  map[metadata.AccountID]int      // guarded by mu: how many items of an account are in located
	busy    map[metadata.AccountID]struct{} // guarded by mu: accounts of running commits
	packing turn                            // guarded by mu: packs begun less than patience ago
	commits turn                            // guarded by mu: transactions begun less than patience ago
	open    int                             // guarded by mu: deliveries the lanes have in hand
	closing bool                            // guarded by mu: nothing new is taken
	stopped bool                            // guarded by mu: packers and committers end
	toPack  *sync.Cond                      // on mu: staged, stopped or (downwards) located changed
	toDo    *sync.Cond                      // on mu: located, busy or stopped changed
	idle    chan struct{}                   // closed when closing and open is 0
}

func newLanes(s *Store) *lanes {
	l := &lanes{
		s:      s,
		queued: make(map[metadata.AccountID]int),
		busy:   make(map[metadata.AccountID]struct{}),
		idle:   make(chan struct{}),
	}
	l.toPack = sync.NewCond(&l.mu)
	l.toDo = sync.NewCond(&l.mu)
	l.packing.next, l.commits.next = l.toPack, l.toDo
	return l
}

func (l *lanes) start() {
	for range packers {
		l.s.spawn(l.runPacker)
	}
	for range l.s.cfg.Lanes {
		l.s.spawn(l.runCommitter)
	}
}

// close refuses new deliveries, waits until those in hand are answered or ctx ends, and stops the lanes. What could not be
// answered by then fails as Unavailable.
func (l *lanes) close(ctx context.Context) error {
	l.mu.Lock()
	if !l.closing {
		l.closing = true
		if l.open == 0 {
			close(l.idle)
		}
	}
	l.mu.Unlock()
	var err error
	select {
	case <-l.idle:
	case <-ctx.Done():
		err = fmt.Errorf("mailstore: closed with deliveries in hand: %w", ctx.Err())
		l.s.cancel() // what runs now fails, and answers
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.toPack.Broadcast()
	l.toDo.Broadcast()
	return err
}

// pack submits a delivery whose body is in memory, and waits for its results or ctx. It ends the Staged.
func (l *lanes) pack(ctx context.Context, d *delivery) {
	d.begin()
	if !l.submit(d, func() { l.staged = append(l.staged, d); l.toPack.Signal() }) {
		d.staged.release()
		d.fail(errClosed("mailstore.Deliver"))
		return
	}
	d.wait(ctx)
}

// keep submits a delivery with keepOnly whose body is in memory, and does not wait. It ends the Staged.
func (l *lanes) keep(d *delivery) {
	d.begin()
	if !l.submit(d, func() { l.staged = append(l.staged, d); l.toPack.Signal() }) {
		d.staged.release()
		d.fail(errClosed("mailstore.Deliver"))
	}
}

// commit submits a delivery whose body is durable, and waits for its results or ctx.
func (l *lanes) commit(ctx context.Context, d *delivery) {
	d.begin()
	if !l.submit(d, func() { l.enqueue(d.items) }) {
		d.fail(errClosed("mailstore.Deliver"))
		return
	}
	d.wait(ctx)
}

// submit counts d as in hand and queues it, unless the lanes are closing.
func (l *lanes) submit(d *delivery, queue func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	l.open++
	d.onSettled = l.settled
	queue()
	return true
}

// enqueue queues items to be committed. l.mu is held.
func (l *lanes) enqueue(items []*item) {
	l.located = append(l.located, items...)
	for _, it := range items {
		l.queued[it.account]++
	}
	l.toDo.Signal()
}

// settled is called once for each submitted delivery, when its last result is there.
func (l *lanes) settled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open--; l.open == 0 && l.closing {
		close(l.idle)
	}
}

// turn counts work that others wait for, but not longer than patience.
type turn struct {
	running int        // guarded by lanes.mu
	next    *sync.Cond // who waits for running to become 0
}

// begin takes a turn; the returned function, called without l.mu held, ends it. l.mu is held.
func (l *lanes) begin(t *turn) (end func()) {
	t.running++
	ended := false // guarded by l.mu
	finish := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !ended {
			ended = true
			t.running--
			t.next.Broadcast()
			if t != &l.packing {
				l.toPack.Broadcast() // see commitAwaits
			}
		}
	}
	timer := time.AfterFunc(patience, finish)
	return func() { timer.Stop(); finish() }
}

// guard runs one batch's work. A panic is a fault of ours: it is logged and the batch's callers are answered, as they are
// when work returns without having answered all; the lane goes on.
func (l *lanes) guard(op string, fail func(error), work func()) {
	defer func() {
		if r := recover(); r != nil {
			fail(recovered(op, l.s.log, r))
		}
	}()
	work()
}

// recovered logs what recover returned, with the stack, and returns it as an error. Call it in the deferred function.
func recovered(op string, log *slog.Logger, r any) error {
	log.Error("panic", "op", op, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	return mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("panic: %v", r))
}
