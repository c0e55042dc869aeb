package directory

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	maxGathered    = 512                  // addresses of one look-up beyond which nobody joins it
	gatherPatience = 5 * time.Millisecond // how long one look-up keeps the next from beginning beside it
	gatherTimeout  = 30 * time.Second
)

// gatherer makes one look-up of those that are wanted at the same time: while one is under way, all others wait together for
// the next, but not longer than gatherPatience. Nobody gets an answer from before they asked, and who is alone waits for nobody.
type gatherer struct {
	ask  func(context.Context, []string) (map[string]metadata.AddressTarget, error)
	turn chan struct{} // holds something while a look-up is under way

	mu   sync.Mutex
	next *lookup // guarded by mu: may be joined; nil if none waits
}

// lookup is one look-up for everyone who joined it.
type lookup struct {
	ctx     context.Context // ends when all have given up
	cancel  context.CancelFunc
	names   []string      // guarded by gatherer.mu while it is next
	members int           // guarded by gatherer.mu: those who have not given up
	shared  bool          // guarded by gatherer.mu while it is next
	ended   chan struct{} // closed when found and err are there
	found   map[string]metadata.AddressTarget
	err     error
}

func newGatherer(ask func(context.Context, []string) (map[string]metadata.AddressTarget, error)) *gatherer {
	return &gatherer{ask: ask, turn: make(chan struct{}, 1)}
}

// lookUp is LookupAddresses, perhaps together with others. What it returns has also what they asked for, and may not be changed.
// Unavailable when ctx ends first.
func (g *gatherer) lookUp(ctx context.Context, names []string) (map[string]metadata.AddressTarget, error) {
	l, leads := g.join(ctx, names)
	stop := context.AfterFunc(ctx, func() { g.leave(l) })
	defer stop()
	if leads {
		g.lead(l)
	}
	select {
	case <-l.ended:
	case <-ctx.Done():
		return nil, mailerr.Wrap("directory.Resolve", mailerr.Unavailable, ctx.Err())
	}
	if l.err != nil && l.shared && !mailerr.Is(l.err, mailerr.Unavailable) {
		return g.ask(ctx, names) // it may be the fault of another's address
	}
	return l.found, l.err
}

// join returns the look-up that waits for its turn or, if there is none or it is full, a new one that the caller leads.
func (g *gatherer) join(ctx context.Context, names []string) (l *lookup, leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.next; l != nil && len(l.names)+len(names) <= maxGathered {
		l.names = append(l.names, names...)
		l.members++
		l.shared = true
		return l, false
	}
	l = &lookup{names: names[:len(names):len(names)], members: 1, ended: make(chan struct{})}
	l.ctx, l.cancel = context.WithTimeout(context.WithoutCancel(ctx), gatherTimeout)
	g.next = l
	return l, true
}

// leave is called when a member's context ends.
func (g *gatherer) leave(l *lookup) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.members--; l.members > 0 {
		return
	}
	l.cancel()
	if g.next == l {
		g.next = nil
	}
}

// lead waits for the look-up's turn, makes it and wakes its members. That is done also when the caller's own context has ended,
// as long as others wait for it.
func (g *gatherer) lead(l *lookup) {
	l.err = mailerr.Wrap("directory.Resolve", mailerr.Internal, errors.New("the look-up did not end"))
	defer close(l.ended)
	defer l.cancel()
	defer g.wait(l)()
	// Whoever is about to ask goes first: on a busy node that makes look-ups larger, on an idle one there is nobody.
	runtime.Gosched()
	g.mu.Lock()
	if g.next == l {
		g.next = nil
	}
	g.mu.Unlock()
	l.found, l.err = g.ask(l.ctx, l.names)
}

// wait takes the turn, or goes on without it when it has waited long enough; the returned function gives it back.
func (g *gatherer) wait(l *lookup) (done func()) {
	done = func() { <-g.turn }
	select {
	case g.turn <- struct{}{}:
		return done
	default:
	}
	patience := time.NewTimer(gatherPatience)
	defer patience.Stop()
	select {
	case g.turn <- struct{}{}:
		return done
	case <-patience.C:
	case <-l.ctx.Done():
	}
	return func() {}
}
