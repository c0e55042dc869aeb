package mailstore

import (
	"sync"

	"github.com/rookery-mail/rookery/metadata"
)

// views is all views of this node, with a budget for their rows. When it is used up the least recently used view goes: whole
// if nobody has it open, else only its rows, which are read again when they are wanted.
type views struct {
	store  *Store
	budget int64

	mu    sync.Mutex
	byID  map[metadata.MailboxID]*view // guarded by mu
	bytes int64                        // guarded by mu: of all views in byID
	order view                         // guarded by mu: head of the ring in order of use; succ is the latest
}

func newViews(s *Store, budget int64) *views {
	vs := &views{store: s, budget: budget, byID: make(map[metadata.MailboxID]*view)}
	vs.order.prev, vs.order.succ = &vs.order, &vs.order
	return vs
}

// acquire returns the view of a mailbox, made if need be. release ends its use.
func (vs *views) acquire(account metadata.AccountID, id metadata.MailboxID) *view {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v := vs.byID[id]
	if v == nil {
		v = &view{store: vs.store, id: id, account: account, words: newIntern(), listed: true}
		vs.byID[id] = v
		vs.pushFront(v)
	} else {
		vs.moveFront(v)
	}
	v.refs++
	return v
}

func (vs *views) release(v *view) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v.refs--
	if st := v.state.Load(); v.refs == 0 && (st == nil || st.gone) {
		vs.remove(v)
	}
	vs.evict(nil)
}

// used makes v the last to go.
func (vs *views) used(v *view) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if v.listed {
		vs.moveFront(v)
	}
}

// grew accounts for v's new state and makes room for it.
func (vs *views) grew(v *view, st *state) {
	n := st.bytes()
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if !v.listed {
		return
	}
	vs.bytes += n - v.bytes
	v.bytes = n
	vs.moveFront(v)
	vs.evict(v)
}

// evict frees memory until the budget holds, sparing keep: who has just read it wants to use it.
// vs.mu is held.
func (vs *views) evict(keep *view) {
	for v := vs.order.prev; v != &vs.order && vs.bytes > vs.budget; {
		victim := v
		v = v.prev
		switch {
		case victim == keep:
		case victim.refs == 0:
			vs.remove(victim)
		default:
			st := victim.state.Load()
			if st == nil || st.pages == nil {
				continue
			}
			// A flight that publishes at this moment wins; it will be back here.
			if bare := st.withoutRows(); victim.state.CompareAndSwap(st, bare) {
				n := bare.bytes()
				vs.bytes += n - victim.bytes
				victim.bytes = n
			}
		}
	}
}

// remove forgets v. vs.mu is held.
func (vs *views) remove(v *view) {
	if !v.listed {
		return
	}
	delete(vs.byID, v.id)
	v.prev.succ, v.succ.prev = v.succ, v.prev
	v.prev, v.succ = nil, nil
	v.listed = false
	vs.bytes -= v.bytes
	v.bytes = 0
}

func (vs *views) pushFront(v *view) {
	v.prev, v.succ = &vs.order, vs.order.succ
	v.prev.succ, v.succ.prev = v, v
}

func (vs *views) moveFront(v *view) {
	v.prev.succ, v.succ.prev = v.succ, v.prev
	vs.pushFront(v)
}

// hint says that a mailbox reached modseq. It does not wait for anything.
func (vs *views) hint(id metadata.MailboxID, modseq metadata.ModSeq) {
	vs.mu.Lock()
	v := vs.byID[id]
	if v != nil && v.refs == 0 {
		v = nil // whoever opens it looks anyway
	}
	vs.mu.Unlock()
	if v != nil {
		vs.store.watcher.hint(v, modseq)
	}
}

// open returns the views that sessions have open.
func (vs *views) open() []*view {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	var open []*view
	for _, v := range vs.byID {
		if v.refs > 0 {
			open = append(open, v)
		}
	}
	return open
}

// size returns the bytes of all views, for metrics.
func (vs *views) size() int64 {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.bytes
}
