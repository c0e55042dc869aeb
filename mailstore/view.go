package mailstore

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// readTimeout bounds one reading of a view. Its callers have contexts of their own.
const readTimeout = time.Minute

// view is what this node knows of one mailbox, shared by its sessions. Readers take the state; one flight at a time moves it
// on.
type view struct {
	store   *Store
	id      metadata.MailboxID
	account metadata.AccountID

	state   atomic.Pointer[state] // nil until it was read once
	claimed atomic.Uint32         // UIDs below this one were claimed as \Recent by somebody

	mu       sync.Mutex
	sessions []*Selected // guarded by mu
	current  *flight     // guarded by mu: being read now
	next     *flight     // guarded by mu: to be read when current is done

	watchMu sync.Mutex          // held while sub changes, never together with mu
	sub     notify.Subscription // guarded by watchMu: nil while there are no sessions

	words *intern // only the running flight uses it

	// Guarded by store.views.mu:
	refs       int
	bytes      int64
	prev, succ *view // neighbours in the order of use
	listed     bool
}

// flight is one reading of the database, shared by all who asked before it began.
type flight struct {
	rows   bool // every row is wanted, not only what changed
	behind bool // somebody knows that there are changes: ask for them at once
	done   chan struct{}
	state  *state // when done: what was read
	err    error
}

// errStale is a database that answers with less than it acknowledged.
var errStale = errors.New("the database answered with an older state")

// errGone answers for a mailbox that was deleted.
func errGone(op string) error { return mailerr.New(op, mailerr.NotFound, "the mailbox was deleted") }

// look returns the state as of some moment after the call: what was acknowledged anywhere before is in it. A deleted
// mailbox is a state with gone set, not an error.
func (v *view) look(ctx context.Context) (*state, error) {
	return v.board(ctx, flight{}, false)
}

// reach returns a state at least at modseq.
func (v *view) reach(ctx context.Context, modseq metadata.ModSeq) (*state, error) {
	if st := v.state.Load(); st != nil && (st.gone || st.modseq() >= modseq) {
		return st, nil
	}
	// A reading that has begun may see it already; the next one must.
	for _, join := range []bool{true, false} {
		st, err := v.board(ctx, flight{behind: true}, join)
		if err != nil {
			return nil, err
		}
		if st.gone || st.modseq() >= modseq {
			return st, nil
		}
	}
	return nil, mailerr.Wrap("mailstore.view", mailerr.Unavailable, errStale)
}

// load returns a state with every row, read again if they were dropped.
func (v *view) load(ctx context.Context) (*state, error) {
	if st := v.state.Load(); st != nil && (st.gone || st.complete()) {
		v.store.views.used(v)
		return st, nil
	}
	return v.board(ctx, flight{rows: true}, false)
}

// board waits for a flight that serves want: the next one or, with join, the one that is on its way.
func (v *view) board(ctx context.Context, want flight, join bool) (*state, error) {
	v.mu.Lock()
	f := v.current
	switch {
	case f == nil:
		f = &flight{rows: want.rows, behind: want.behind, done: make(chan struct{})}
		if !v.store.spawn(func() { v.fly(f) }) {
			v.mu.Unlock()
			return nil, errClosed("mailstore.view")
		}
		v.current = f
	case join:
	default:
		if v.next == nil {
			v.next = &flight{done: make(chan struct{})}
		}
		f = v.next
		f.rows = f.rows || want.rows
		f.behind = f.behind || want.behind
	}
	v.mu.Unlock()
	select {
	case <-f.done:
		return f.state, f.err
	case <-ctx.Done():
		return nil, mailerr.Wrap("mailstore.view", mailerr.Unavailable, ctx.Err())
	}
}

// fly reads f and every flight that was asked for meanwhile.
func (v *view) fly(f *flight) {
	for f != nil {
		v.read(f)
		v.mu.Lock()
		v.current, v.next = v.next, nil
		done := f
		f = v.current
		v.mu.Unlock()
		close(done.done)
	}
}

// read moves the state on and fills in f's result.
func (v *view) read(f *flight) {
	defer func() {
		if r := recover(); r != nil {
			f.err = recovered("mailstore.view", v.store.log, r)
		}
	}()
	ctx, cancel := context.WithTimeout(v.store.ctx, readTimeout)
	defer cancel()
	before := v.state.Load()
	st, err := v.readState(ctx, f, before)
	switch {
	case mailerr.Is(err, mailerr.NotFound):
		if before == nil {
			f.err = err
			return
		}
		st = before
		if !before.gone {
			st = before.deleted()
		}
	case err != nil:
		f.err = err
		return
	}
	f.state = st
	if st == before {
		v.store.views.used(v)
		return
	}
	v.state.Store(st)
	v.store.views.grew(v, st)
	if before == nil || st.version != before.version {
		v.signal()
	}
}

func (v *view) readState(ctx context.Context, f *flight, before *state) (*state, error) {
	switch {
	case before == nil || f.rows && !before.complete() && !before.gone:
		return v.readAll(ctx, before)
	case before.gone:
		return before, nil
	}
	if !f.behind {
		at, err := v.store.meta.ModSeqs(ctx, []metadata.MailboxID{v.id})
		if err != nil {
			return nil, err
		}
		modseq, ok := at[v.id]
		if !ok {
			return nil, errGone("mailstore.view")
		}
		if modseq == before.modseq() {
			return before, nil
		}
	}
	ch, err := v.store.meta.ChangesSince(ctx, v.id, before.modseq())
	if err != nil {
		return nil, err
	}
	if !ch.Complete {
		return v.readAll(ctx, before)
	}
	if ch.Mailbox.HighestModSeq <= before.modseq() {
		return before, nil
	}
	return before.advanced(v.words, ch, v.toldUpTo()), nil
}

func (v *view) readAll(ctx context.Context, before *state) (*state, error) {
	m, msgs, err := v.store.meta.LoadMailbox(ctx, v.id)
	if err != nil {
		return nil, err
	}
	if before != nil && m.HighestModSeq < before.modseq() {
		return nil, mailerr.Wrap("mailstore.view", mailerr.Unavailable, errStale)
	}
	v.store.metrics.viewLoads.Inc()
	v.words = newIntern() // forgets what no message has any more
	return loaded(before, v.words, m, msgs, v.toldUpTo()), nil
}

// toldUpTo returns the MODSEQ up to which every session was told of every expunge.
func (v *view) toldUpTo() metadata.ModSeq {
	v.mu.Lock()
	defer v.mu.Unlock()
	low := uint64(math.MaxUint64)
	for _, sel := range v.sessions {
		low = min(low, sel.toldUpTo.Load())
	}
	return metadata.ModSeq(low)
}

// signal wakes the sessions that wait for a change.
func (v *view) signal() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, sel := range v.sessions {
		sel.signal()
	}
}

// join makes sel one of the view's sessions; the first one makes the view listen to hints.
func (v *view) join(sel *Selected) {
	v.watchMu.Lock()
	defer v.watchMu.Unlock()
	v.mu.Lock()
	v.sessions = append(v.sessions, sel)
	v.mu.Unlock()
	if v.sub == nil {
		v.sub = v.store.cfg.Notify.Subscribe(v.account, func(h notify.Hint) {
			if h.Mailbox == v.id {
				v.store.watcher.hint(v, metadata.ModSeq(h.ModSeq))
			}
		})
	}
}

// leave is the end of join.
func (v *view) leave(sel *Selected) {
	v.watchMu.Lock()
	defer v.watchMu.Unlock()
	v.mu.Lock()
	if i := slices.Index(v.sessions, sel); i >= 0 {
		v.sessions = slices.Delete(v.sessions, i, i+1)
	}
	empty := len(v.sessions) == 0
	v.mu.Unlock()
	if empty && v.sub != nil {
		v.sub.Close()
		v.sub = nil
	}
}
