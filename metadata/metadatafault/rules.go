package metadatafault

import (
	"sync"
	"time"
)

// Fault is what goes wrong.
type Fault uint8

// The faults.
const (
	// Conflict makes a statement fail with SQLSTATE 40001: the transaction is rolled back and tried again by the store.
	Conflict Fault = iota
	// ConflictAtCommit makes COMMIT fail with 40001, after all statements.
	ConflictAtCommit
	// LostStatement loses the connection at a statement.
	LostStatement
	// LostBefore loses the connection at COMMIT before the server got it: nothing happened, and the store cannot know.
	LostBefore
	// LostAfter loses the connection at COMMIT after it happened: everything happened, and the store cannot know.
	LostAfter
	// Delay makes a statement late by Rule.Delay.
	Delay
)

// Rule says when a fault strikes. Runs are counted for the statement faults (one run is one round trip), transactions and
// single statements for those at COMMIT. Counting begins when the rule is added.
type Rule struct {
	Fault Fault
	Nth   int           // strikes at the nth of its events, 1 is the first
	Times int           // strikes so often in succession; 0: once
	Every int           // strikes again each time so many events later; 0: never again
	Delay time.Duration // of Delay
}

// Rules are the rules in force. Methods may be called concurrently.
type Rules struct {
	mu      sync.Mutex
	active  []*activeRule // guarded by mu
	strikes int           // guarded by mu
}

type activeRule struct {
	Rule
	seen int
}

// Add puts a rule into force.
func (r *Rules) Add(rule Rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active = append(r.active, &activeRule{Rule: rule})
}

// strikes reports whether the rule strikes at the event seen last.
func (a *activeRule) strikes() bool {
	since := a.seen - a.Nth
	if since < 0 {
		return false
	}
	if a.Every > 0 {
		since %= a.Every
	}
	return since < max(a.Times, 1)
}

// Clear ends all rules and returns how often they struck.
func (r *Rules) Clear() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.strikes
	r.active, r.strikes = nil, 0
	return n
}

// strike counts one event for the rules of these faults and returns the first that strikes.
func (r *Rules) strike(faults ...Fault) (Rule, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var hit *activeRule
	for _, a := range r.active {
		for _, f := range faults {
			if a.Fault != f {
				continue
			}
			a.seen++
			if hit == nil && a.strikes() {
				hit = a
			}
		}
	}
	if hit == nil {
		return Rule{}, false
	}
	r.strikes++
	return hit.Rule, true
}
