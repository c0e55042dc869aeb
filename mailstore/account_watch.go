package mailstore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

const (
	// watchPace is the least time between two readings of one account's mailboxes because of hints, but for the first two.
	watchPace = 20 * time.Millisecond
	// maxRowReads is how many mailboxes are read one by one before the whole list is.
	maxRowReads = 8
	// maxWatchedOwners is to how many other owners' hints an account's watch listens. The mailboxes of more are polled.
	maxWatchedOwners = 64
)

// accountWatch is what this node knows of one account's mailboxes while sessions watch them. Hints make a reader look, one at a
// time, which lives no longer than there is something to read; polls find what no hint told.
type accountWatch struct {
	user *User
	refs int           // guarded by watches.mu
	turn chan struct{} // holds a value while the database is read, and subs is changed

	listing    atomic.Pointer[Listing]
	annotators atomic.Int32 // sessions that watch annotations too

	mu       sync.Mutex
	sessions []*Watch                         // guarded by mu
	list     bool                             // guarded by mu: the list is to be read
	rows     map[metadata.MailboxID]struct{}  // guarded by mu: mailboxes to be read
	reading  bool                             // guarded by mu: there is a reader
	closed   bool                             // guarded by mu
	subs     map[[16]byte]notify.Subscription // guarded by turn
}

// hint notes what a hint is about. It never waits: notifiers call it.
func (a *accountWatch) hint(h notify.Hint) {
	l := a.listing.Load()
	if l == nil {
		a.want(func() { a.list = true }) // it came while the first list was being read
		return
	}
	id := metadata.MailboxID(h.Mailbox)
	info := l.Mailbox(id)
	switch {
	case id == metadata.MailboxID{}:
		a.want(func() { a.list = true })
	case info == nil && metadata.AccountID(h.Account) != a.user.account, info == nil && h.ModSeq == deletedModSeq:
		// Somebody else's that the user does not see, or known to be gone.
	case info == nil, h.ModSeq == deletedModSeq:
		a.want(func() { a.list = true })
	case uint64(info.HighestModSeq) < h.ModSeq:
		a.want(func() { a.rows[id] = struct{}{} })
	}
}

// want notes what is to be read and sees to it that somebody does.
func (a *accountWatch) want(note func()) {
	a.mu.Lock()
	note()
	start := !a.reading && !a.closed
	a.reading = a.reading || start
	a.mu.Unlock()
	if start && !a.user.store.spawn(a.read) {
		a.mu.Lock()
		a.reading = false
		a.mu.Unlock()
	}
}

// read reads until nothing is left to be read. What it cannot read the next poll finds.
func (a *accountWatch) read() {
	s := a.user.store
	for pace := time.Duration(0); ; pace = watchPace {
		if pace > 0 {
			select {
			case <-s.ctx.Done():
			case <-time.After(pace):
			}
		}
		again, err := a.readOnce(s.ctx)
		if err != nil && s.ctx.Err() == nil {
			s.log.Debug("reading the mailboxes of a watched account failed", "account", a.user.account.String(), "err", err)
		}
		if !again {
			return
		}
	}
}

// readOnce reads what is wanted. again: the reader goes on.
func (a *accountWatch) readOnce(ctx context.Context) (again bool, err error) {
	if err := a.take(ctx); err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.reading = false
		return false, err
	}
	defer a.give()
	a.mu.Lock()
	list, rows := a.list || len(a.rows) > maxRowReads, a.rows
	if !list && len(rows) == 0 || a.closed {
		a.reading = false
		a.mu.Unlock()
		return false, nil
	}
	a.list, a.rows = false, make(map[metadata.MailboxID]struct{})
	a.mu.Unlock()
	if list {
		err = a.readList(ctx)
	} else {
		err = a.readRows(ctx, rows)
	}
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.reading = false
		return false, err
	}
	return true, nil
}

// take waits for the turn to read, of this account and of the node.
func (a *accountWatch) take(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return mailerr.Wrap("mailstore.Watch", mailerr.Unavailable, ctx.Err())
	}
	if err := a.user.store.watches.readers.Acquire(ctx, 1); err != nil {
		<-a.turn
		return mailerr.Wrap("mailstore.Watch", mailerr.Unavailable, err)
	}
	return nil
}

func (a *accountWatch) give() {
	a.user.store.watches.readers.Release(1)
	<-a.turn
}

// readList reads the whole list. The caller has the turn.
func (a *accountWatch) readList(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for {
		infos, err := a.user.List(ctx)
		if err != nil {
			return err
		}
		var annotations *annotationStates
		if a.annotators.Load() > 0 {
			if annotations, err = a.user.annotationStates(ctx, infos); err != nil {
				return err
			}
			if before := a.listing.Load(); before != nil && annotations.emptied(before.annotations) {
				// A mailbox that was deleted between the two readings is not one whose annotations were removed.
				if infos, err = a.user.List(ctx); err != nil {
					return err
				}
			}
		}
		a.publish(newListing(a.listing.Load(), infos, annotations))
		if !a.listen() {
			return nil
		}
		// What a new owner did between the reading and the listening was heard by nobody.
	}
}

// readRows reads mailboxes that are listed. The caller has the turn.
func (a *accountWatch) readRows(ctx context.Context, ids map[metadata.MailboxID]struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []*metadata.Mailbox
	for id := range ids {
		row, err := a.user.store.meta.MailboxByID(ctx, id)
		if mailerr.Is(err, mailerr.NotFound) {
			return a.readList(ctx)
		}
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	a.publish(a.listing.Load().withRows(rows))
	return nil
}

// publish makes l what sessions see.
func (a *accountWatch) publish(l *Listing) {
	if a.listing.Swap(l) == l {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.sessions {
		w.signal()
	}
}

// listen subscribes to the hints of the owners of what is listed, and to no others'. It reports whether there is a new one. The
// caller has the turn.
func (a *accountWatch) listen() (added bool) {
	a.mu.Lock()
	closed := a.closed
	a.mu.Unlock()
	if closed {
		return false
	}
	owners := a.listing.Load().owners(a.user.account)
	if a.annotators.Load() > 0 {
		owners = append(owners, everybody)
	}
	for account, sub := range a.subs {
		if account != a.user.account && !slices.Contains(owners, metadata.AccountID(account)) {
			sub.Close()
			delete(a.subs, account)
		}
	}
	for _, owner := range owners {
		if a.subs[owner] == nil && (len(a.subs) <= maxWatchedOwners || owner == everybody) {
			a.subs[owner] = a.user.store.cfg.Notify.Subscribe(owner, a.hint)
			added = true
		}
	}
	return added
}

// open is the beginning of the first session's watch.
func (a *accountWatch) open(ctx context.Context) error {
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.give()
	if a.subs[a.user.account] == nil {
		a.subs[a.user.account] = a.user.store.cfg.Notify.Subscribe(a.user.account, a.hint)
	}
	return a.readList(ctx)
}

// close ends the watch; nobody has it any more. It waits for no reading.
func (a *accountWatch) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	select {
	case a.turn <- struct{}{}:
		a.unlisten()
	default:
		a.user.store.spawn(func() { // a Store that is closed has no use for subscriptions: they go with the Notifier
			a.turn <- struct{}{}
			a.unlisten()
		})
	}
}

// unlisten gives the subscriptions up, and the turn.
func (a *accountWatch) unlisten() {
	for _, sub := range a.subs {
		sub.Close()
	}
	clear(a.subs)
	<-a.turn
}
