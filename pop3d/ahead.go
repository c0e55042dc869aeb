package pop3d

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	firstAhead     = 8       // messages of the first stretch; each is twice the one before
	mostAhead      = 512     // messages of a stretch, at most
	aheadBytes     = 1 << 20 // bodies of a stretch
	aheadOneAtMost = 256 << 10
)

// stretch is some messages of a maildrop, one after the other, with where their bodies are and the small ones' bytes. What is
// below done is read after that is closed.
type stretch struct {
	from, to int   // indexes, to exclusive
	asked    int   // messages of these whose rows are read: not those marked as deleted
	bytes    int64 // taken from the budget
	cancel   context.CancelFunc
	done     chan struct{} // closed when it was read
	err      error         // no rows could be read
	bodies   []metadata.Body
	ids      map[metadata.BodyID]int // indexes into bodies
	raws     [][]byte                // stored bytes by index into bodies; nil where they were not read
}

// readAhead reads bodies before they are asked for: while a client takes those of one stretch, the next is on its way. Two
// stretches are held at most, and only where the budget of all sessions has room: without, a stretch has rows alone and each
// body is read when it is asked for. Its methods are for the session's goroutine.
type readAhead struct {
	sel      *mailstore.Selected
	messages []dropped // the maildrop's
	budget   *semaphore.Weighted
	timeout  time.Duration
	log      *slog.Logger
	ctx      context.Context // ends with close
	cancel   context.CancelFunc

	current, next *stretch // nil: none
	last          int      // index of the message taken last, -1 at first
}

func newReadAhead(sel *mailstore.Selected, messages []dropped, srv *Server, log *slog.Logger) *readAhead {
	a := &readAhead{sel: sel, messages: messages, budget: srv.ahead, timeout: srv.cfg.StoreTimeout, log: log, last: -1}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// body returns the row of the message at an index and, if they are here, its stored bytes. b is nil when there is no such row
// any more.
func (a *readAhead) body(ctx context.Context, i int) (b *metadata.Body, raw []byte, err error) {
	s, err := a.at(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	if at, ok := s.ids[a.messages[i].Body]; ok {
		return &s.bodies[at], s.raws[at], nil
	}
	return nil, nil, nil
}

// at returns the stretch that has an index, when it was read; and sees to the next one.
func (a *readAhead) at(ctx context.Context, i int) (*stretch, error) {
	inOrder := a.follows(i)
	a.last = i
	switch {
	case a.current.has(i):
	case a.next.has(i):
		a.drop(a.current)
		a.current, a.next = a.next, nil
	default:
		a.forget()
		if inOrder {
			a.current = a.start(i, firstAhead)
		} else {
			a.current = a.start(i, 1)
		}
	}
	if inOrder && a.next == nil && a.current.to < len(a.messages) {
		a.next = a.start(a.current.to, min(max(2*a.current.asked, firstAhead), mostAhead))
	}
	select {
	case <-a.current.done:
	case <-ctx.Done():
		return nil, mailerr.Wrap("pop3d.readAhead", mailerr.Unavailable, ctx.Err())
	}
	if err := a.current.err; err != nil {
		a.forget() // asked for again, it is read again
		return nil, err
	}
	return a.current, nil
}

// follows reports whether an index is that of the last message taken, or of the first one behind it that is not marked as
// deleted.
func (a *readAhead) follows(i int) bool {
	next := a.last + 1
	for next < i && a.messages[next].deleted {
		next++
	}
	return i == next || i == a.last
}

func (s *stretch) has(i int) bool { return s != nil && i >= s.from && i < s.to }

// start begins to read a stretch of so many messages.
func (a *readAhead) start(from, most int) *stretch {
	s := &stretch{from: from, done: make(chan struct{})}
	ids := make([]metadata.BodyID, 0, most)
	var small []metadata.BodyID
	for s.to = from; s.to < len(a.messages) && len(ids) < most; s.to++ {
		m := &a.messages[s.to]
		if m.deleted && s.to > from {
			continue
		}
		if m.Size <= aheadOneAtMost {
			if s.bytes+m.Size > aheadBytes {
				break
			}
			s.bytes += m.Size
			small = append(small, m.Body)
		}
		ids = append(ids, m.Body)
	}
	s.asked = len(ids)
	if !a.budget.TryAcquire(s.bytes) {
		s.bytes, small = 0, nil
	}
	var ctx context.Context
	ctx, s.cancel = context.WithTimeout(a.ctx, a.timeout)
	go func() {
		defer close(s.done)
		defer func() {
			if v := recover(); v != nil {
				a.log.Error("pop3 panic", "panic", v, "stack", string(debug.Stack()))
				s.err = mailerr.New("pop3d.readAhead", mailerr.Internal, "")
			}
		}()
		s.read(ctx, a.sel, ids, small)
	}()
	return s
}

func (s *stretch) read(ctx context.Context, sel *mailstore.Selected, ids, small []metadata.BodyID) {
	if s.bodies, s.err = sel.BodyLocations(ctx, ids); s.err != nil {
		return
	}
	s.ids = make(map[metadata.BodyID]int, len(s.bodies))
	for i := range s.bodies {
		s.ids[s.bodies[i].ID] = i
	}
	s.raws = make([][]byte, len(s.bodies))
	wanted := make([]*metadata.Body, 0, len(small))
	at := make([]int, 0, len(small))
	for _, id := range small {
		if i, ok := s.ids[id]; ok {
			wanted, at = append(wanted, &s.bodies[i]), append(at, i)
		}
	}
	for j, raw := range sel.ReadBodies(ctx, wanted) {
		s.raws[at[j]] = raw
	}
}

// drop gives a stretch up; it may still be on its way.
func (a *readAhead) drop(s *stretch) {
	if s == nil {
		return
	}
	s.cancel()
	<-s.done
	a.budget.Release(s.bytes)
}

// forget gives up what there is.
func (a *readAhead) forget() {
	a.drop(a.current)
	a.drop(a.next)
	a.current, a.next = nil, nil
}

// close ends what is being read.
func (a *readAhead) close() {
	a.cancel()
	a.forget()
}
