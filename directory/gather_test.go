package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// asked records look-ups and lets each end when it is told to.
type asked struct {
	mu    sync.Mutex
	calls [][]string
	end   chan error // one for each look-up, in any order
}

func (a *asked) ask(ctx context.Context, names []string) (map[string]metadata.AddressTarget, error) {
	a.mu.Lock()
	a.calls = append(a.calls, slices.Sorted(slices.Values(names)))
	a.mu.Unlock()
	found := map[string]metadata.AddressTarget{}
	for _, n := range names {
		found[n] = metadata.AddressTarget{Targets: []string{n}}
	}
	select {
	case err := <-a.end:
		return found, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *asked) want(t *testing.T, calls ...[]string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.EqualFunc(a.calls, calls, slices.Equal[[]string]) {
		t.Errorf("look-ups of %q, want %q", a.calls, calls)
	}
}

// gathering runs look-ups of one name each beside each other.
type gathering struct {
	*asked
	g    *gatherer
	done sync.WaitGroup
	mu   sync.Mutex
	errs map[string]error
}

func newGathering() *gathering {
	a := &asked{end: make(chan error)}
	return &gathering{asked: a, g: newGatherer(a.ask), errs: map[string]error{}}
}

func (r *gathering) lookUp(ctx context.Context, name string) {
	r.done.Go(func() {
		found, err := r.g.lookUp(ctx, []string{name})
		if _, ok := found[name]; !ok && err == nil {
			err = errors.New("not found")
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.errs[name] = err
	})
	synctest.Wait()
}

func (r *gathering) failed() []string {
	r.done.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.errs, func(_ string, err error) bool { return err == nil })
	return slices.Sorted(maps.Keys(r.errs))
}

func TestGatherTogetherWhileOneIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGathering()
		for _, name := range []string{"a", "b", "c", "d"} {
			r.lookUp(t.Context(), name)
		}
		r.want(t, []string{"a"})
		r.end <- nil
		r.end <- nil
		if failed := r.failed(); len(failed) > 0 {
			t.Error(failed)
		}
		r.want(t, []string{"a"}, []string{"b", "c", "d"})
	})
}

func TestGatherHangingLookUpKeepsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGathering()
		r.lookUp(t.Context(), "a")
		r.lookUp(t.Context(), "b")
		r.lookUp(t.Context(), "c")
		r.want(t, []string{"a"})
		time.Sleep(gatherPatience) // of the bubble's clock
		synctest.Wait()
		r.want(t, []string{"a"}, []string{"b", "c"})
		r.end <- nil
		r.end <- nil
		if failed := r.failed(); len(failed) > 0 {
			t.Error(failed)
		}
	})
}

func TestGatherMembersGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGathering()
		r.lookUp(t.Context(), "a")
		leader, leaderGone := context.WithCancel(t.Context())
		member, memberGone := context.WithCancel(t.Context())
		r.lookUp(leader, "b")
		r.lookUp(member, "c")
		r.lookUp(t.Context(), "d")
		leaderGone()
		memberGone()
		synctest.Wait()
		r.end <- nil
		r.end <- nil
		failed := r.failed()
		// Who led the look-up that "d" waited for made it, and so has an answer or gave up; "d" has one.
		if slices.Contains(failed, "a") || slices.Contains(failed, "d") || !slices.Contains(failed, "c") {
			t.Errorf("failed: %q", failed)
		}

		alone, gone := context.WithCancel(t.Context())
		r.lookUp(alone, "e")
		gone()
		if failed := r.failed(); !slices.Contains(failed, "e") || !mailerr.Is(r.errs["e"], mailerr.Unavailable) && !errors.Is(r.errs["e"], context.Canceled) {
			t.Errorf("failed: %q", failed)
		}
	})
}

func TestGatherOthersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGathering()
		for _, name := range []string{"a", "b", "c"} {
			r.lookUp(t.Context(), name)
		}
		r.end <- nil
		r.end <- mailerr.New("test", mailerr.Invalid, "")
		r.end <- nil // b and c each for itself
		r.end <- nil
		if failed := r.failed(); len(failed) > 0 {
			t.Error(failed)
		}
		r.want(t, []string{"a"}, []string{"b", "c"}, r.calls[2], r.calls[3])
		if len(r.calls[2]) != 1 || len(r.calls[3]) != 1 {
			t.Error(r.calls)
		}
	})
}
