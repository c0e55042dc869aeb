package mailstore

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// watches is the accounts whose mailboxes sessions of this node watch.
type watches struct {
	s       *Store
	readers *semaphore.Weighted // accounts that are read at once
	polling atomic.Bool

	mu        sync.Mutex
	byAccount map[metadata.AccountID]*accountWatch // guarded by mu
}

func newWatches(s *Store) *watches {
	return &watches{
		s:         s,
		readers:   semaphore.NewWeighted(readers),
		byAccount: make(map[metadata.AccountID]*accountWatch),
	}
}

func (ws *watches) acquire(account metadata.AccountID) *accountWatch {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	a := ws.byAccount[account]
	if a == nil {
		a = &accountWatch{
			user: ws.s.User(account),
			turn: make(chan struct{}, 1),
			rows: make(map[metadata.MailboxID]struct{}),
			subs: make(map[[16]byte]notify.Subscription),
		}
		ws.byAccount[account] = a
	}
	a.refs++
	return a
}

func (ws *watches) release(a *accountWatch) {
	ws.mu.Lock()
	a.refs--
	last := a.refs == 0
	if last {
		delete(ws.byAccount, a.user.account)
	}
	ws.mu.Unlock()
	if last {
		a.close()
	}
}

// hint tells this node's watches what was committed here, for when hints do not flow.
func (ws *watches) hint(h notify.Hint) {
	ws.mu.Lock()
	a := ws.byAccount[metadata.AccountID(h.Account)]
	ws.mu.Unlock()
	if a != nil {
		a.hint(h)
	}
}

// poll reads every watched account's mailboxes, in a goroutine of its own, unless the last poll still does.
func (ws *watches) poll() {
	ws.mu.Lock()
	all := make([]*accountWatch, 0, len(ws.byAccount))
	for _, a := range ws.byAccount {
		all = append(all, a)
	}
	ws.mu.Unlock()
	if len(all) == 0 || ws.polling.Swap(true) {
		return
	}
	if !ws.s.spawn(func() {
		defer ws.polling.Store(false)
		var g errgroup.Group
		g.SetLimit(readers)
		for _, a := range all {
			g.Go(func() error { return a.refresh(ws.s.ctx) })
		}
		if err := g.Wait(); err != nil && ws.s.ctx.Err() == nil {
			ws.s.log.Warn("reading the mailboxes of watched accounts fails", "err", err)
		}
	}) {
		ws.polling.Store(false)
	}
}

// refresh reads the list as of a moment after the call.
func (a *accountWatch) refresh(ctx context.Context) error {
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.give()
	return a.readList(ctx)
}

// Watch is one session's watch of all that User.List returns.
type Watch struct {
	account *accountWatch
	o       WatchOptions
	changed chan struct{}
	close   sync.Once
}

// WatchOptions says what is watched beside the list of mailboxes.
type WatchOptions struct {
	Annotations bool // see Listing.ChangedAnnotations
}

// Watch begins to watch the user's mailboxes, whatever node changes them. One watch an account and node is shared by its
// sessions: hints tell of changes at once, polls (Config.PollHealthy, PollUnhealthy) of those that no hint told. Of mailboxes that
// are shared with a whole domain, and by more than some dozens of owners, only polls tell when rights change. Unavailable.
func (u *User) Watch(ctx context.Context, o WatchOptions) (*Watch, error) {
	const op = "mailstore.Watch"
	a := u.store.watches.acquire(u.account)
	w := &Watch{account: a, o: o, changed: make(chan struct{}, 1)}
	if o.Annotations {
		a.annotators.Add(1)
	}
	if err := a.open(ctx); err != nil {
		w.leave()
		u.store.watches.release(a)
		return nil, wrap(op, err)
	}
	a.mu.Lock()
	a.sessions = append(a.sessions, w)
	a.mu.Unlock()
	return w, nil
}

// Mailboxes returns what this node knows.
func (w *Watch) Mailboxes() *Listing { return w.account.listing.Load() }

// Changed returns a channel that receives (at least) one value after Mailboxes has changed. May be waited on beside other things by
// another goroutine.
func (w *Watch) Changed() <-chan struct{} { return w.changed }

// Refresh reads the list: Mailboxes is then of a moment after the call. Unavailable.
func (w *Watch) Refresh(ctx context.Context) error {
	return wrap("mailstore.Watch", w.account.refresh(ctx))
}

func (w *Watch) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	w.close.Do(func() {
		a := w.account
		a.mu.Lock()
		for i := range a.sessions {
			if a.sessions[i] == w {
				a.sessions = append(a.sessions[:i], a.sessions[i+1:]...)
				break
			}
		}
		a.mu.Unlock()
		w.leave()
		a.user.store.watches.release(a)
	})
}

// leave takes back what the watch asked for beside the list.
func (w *Watch) leave() {
	if w.o.Annotations {
		w.account.annotators.Add(-1)
	}
}
