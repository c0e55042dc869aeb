package listener

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// Rates bounds how often each address may do something. It remembers those of the last minute.
type Rates struct {
	perMinute int // 0: no limit

	mu    sync.Mutex // guards the fields below
	by    map[netip.Prefix]*rate.Limiter
	sweep int // entries at which those that matter no longer are removed
}

const (
	leastSweep = 1024
	mostRates  = 100_000 // addresses remembered; of more than that in a minute some have their tokens back too early
)

// NewRates returns Rates of so many times a minute, which may all be at once; 0 is no limit.
func NewRates(perMinute int) *Rates { return &Rates{perMinute: perMinute} }

// Allow reports whether an address may do it once more.
func (r *Rates) Allow(a netip.Prefix) bool {
	if r.perMinute <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.by[a]
	if l == nil {
		r.forgetOld()
		l = rate.NewLimiter(rate.Limit(r.perMinute)/60, r.perMinute)
		r.by[a] = l
	}
	return l.Allow()
}

// forgetOld removes addresses that have all their tokens again; often enough that they are at most as many as the others.
func (r *Rates) forgetOld() {
	if r.by == nil {
		r.by, r.sweep = make(map[netip.Prefix]*rate.Limiter), leastSweep
	}
	if len(r.by) < r.sweep {
		return
	}
	for a, l := range r.by {
		if l.Tokens() >= float64(r.perMinute) {
			delete(r.by, a)
		}
	}
	for a := range r.by {
		if len(r.by) < mostRates {
			break
		}
		delete(r.by, a) // any will do
	}
	r.sweep = min(max(leastSweep, 2*len(r.by)), mostRates)
}
