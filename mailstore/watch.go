package mailstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

const (
	// readers is how many views are moved on at once because of hints and polls.
	readers = 4
	// pollBatch is how many mailboxes are compared in one call.
	pollBatch = 1000
)

// watcher keeps the views that are open here up to date: a hint makes a reader look at once, a poll finds what no hint told.
type watcher struct {
	s       *Store
	recover chan struct{} // hints flow again: poll now

	mu     sync.Mutex
	wanted map[*view]metadata.ModSeq // guarded by mu: views that are behind, and how far they should come
	queue  []*view                   // guarded by mu: the keys of wanted
	wake   chan struct{}             // something is in queue
}

func newWatcher(s *Store) *watcher {
	return &watcher{
		s:       s,
		recover: make(chan struct{}, 1),
		wanted:  make(map[*view]metadata.ModSeq),
		wake:    make(chan struct{}, readers),
	}
}

func (w *watcher) start() {
	for range readers {
		w.s.spawn(w.runReader)
	}
	w.s.spawn(w.runPoll)
	w.s.cfg.Notify.OnRecover(func() {
		select {
		case w.recover <- struct{}{}:
		default:
		}
	})
}

// hint queues v to be read if it is not at modseq yet. It never waits: notifiers call it.
func (w *watcher) hint(v *view, modseq metadata.ModSeq) {
	if st := v.state.Load(); st != nil && (st.gone || st.modseq() >= modseq) {
		return
	}
	w.mu.Lock()
	at, queued := w.wanted[v]
	w.wanted[v] = max(at, modseq)
	if !queued {
		w.queue = append(w.queue, v)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) runReader() {
	for {
		select {
		case <-w.s.ctx.Done():
			return
		case <-w.wake:
		}
		for v, modseq := w.next(); v != nil; v, modseq = w.next() {
			w.read(v, modseq)
		}
	}
}

func (w *watcher) next() (*view, metadata.ModSeq) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return nil, 0
	}
	v := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	modseq := w.wanted[v]
	delete(w.wanted, v)
	return v, modseq
}

// read moves v on. What it cannot read now the next poll finds.
func (w *watcher) read(v *view, modseq metadata.ModSeq) {
	if st := v.state.Load(); st != nil && (st.gone || st.modseq() >= modseq) {
		return
	}
	if _, err := v.board(w.s.ctx, flight{behind: true}, false); err != nil && w.s.ctx.Err() == nil {
		w.s.log.Debug("reading a mailbox's changes failed", "mailbox", v.id.String(), "err", err)
	}
}

func (w *watcher) runPoll() {
	tick := time.NewTicker(min(w.s.cfg.PollHealthy, w.s.cfg.PollUnhealthy))
	defer tick.Stop()
	last := time.Now()
	failing := false
	for {
		select {
		case <-w.s.ctx.Done():
			return
		case <-w.recover:
		case now := <-tick.C:
			interval := w.s.cfg.PollUnhealthy
			if w.s.cfg.Notify.Healthy() {
				interval = w.s.cfg.PollHealthy
			}
			if now.Sub(last) < interval {
				continue
			}
		}
		w.s.watches.poll()
		err := w.poll(w.s.ctx)
		if err != nil && !failing && w.s.ctx.Err() == nil {
			w.s.log.Warn("comparing open mailboxes with the database fails", "err", err)
		}
		failing = err != nil
		last = time.Now()
	}
}

// poll compares every open view with the database.
func (w *watcher) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for batch := range slices.Chunk(w.s.views.open(), pollBatch) {
		ids := make([]metadata.MailboxID, len(batch))
		for i, v := range batch {
			ids[i] = v.id
		}
		at, err := w.s.meta.ModSeqs(ctx, ids)
		if err != nil {
			return err
		}
		for _, v := range batch {
			modseq, ok := at[v.id]
			if !ok {
				modseq = deletedModSeq
			}
			w.hint(v, modseq)
		}
	}
	return nil
}
