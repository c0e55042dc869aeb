package notify

import (
	"sync"
	"sync/atomic"
)

// Router knows this node's subscriptions and hands hints to them: the part that every Notifier shares. The zero Router is
// ready to use.
type Router struct {
	mu     sync.RWMutex
	subs   map[[16]byte]map[*routerSub]struct{} // guarded by mu
	closed bool                                 // guarded by mu
}

// routerSub is one subscription.
type routerSub struct {
	router  *Router
	account [16]byte
	fn      func(Hint)
	last    func()
	closed  atomic.Bool
}

// Subscribe adds a subscription. first, if not nil, is called when it is the account's first, last when the account's last one
// is closed; both in the order in which it happened, under the Router's lock.
func (r *Router) Subscribe(account [16]byte, fn func(Hint), first, last func()) Subscription {
	s := &routerSub{router: r, account: account, fn: fn, last: last}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return s
	}
	if r.subs == nil {
		r.subs = map[[16]byte]map[*routerSub]struct{}{}
	}
	of := r.subs[account]
	if of == nil {
		of = map[*routerSub]struct{}{}
		r.subs[account] = of
	}
	of[s] = struct{}{}
	if len(of) == 1 && first != nil {
		first()
	}
	return s
}

// Deliver calls the subscriptions of each hint's account.
func (r *Router) Deliver(hints ...Hint) {
	var buf [8]*routerSub
	for _, h := range hints {
		subs := buf[:0]
		r.mu.RLock()
		for s := range r.subs[h.Account] {
			subs = append(subs, s)
		}
		r.mu.RUnlock()
		for _, s := range subs {
			if !s.closed.Load() {
				s.fn(h)
			}
		}
	}
}

// Accounts returns the accounts that have subscriptions.
func (r *Router) Accounts() [][16]byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	accounts := make([][16]byte, 0, len(r.subs))
	for a := range r.subs {
		accounts = append(accounts, a)
	}
	return accounts
}

// Close ends all subscriptions; later ones are never called.
func (r *Router) Close() {
	r.mu.Lock()
	subs := r.subs
	r.subs, r.closed = nil, true
	r.mu.Unlock()
	for _, of := range subs {
		for s := range of {
			s.closed.Store(true)
		}
	}
}

// Close ends the subscription: no call of fn begins after it has returned, but one that runs is not waited for, so a lock
// that fn takes may be held. A second Close does nothing.
func (s *routerSub) Close() {
	if s.closed.Swap(true) {
		return
	}
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.subs[s.account]
	if _, ok := of[s]; !ok {
		return
	}
	delete(of, s)
	if len(of) == 0 {
		delete(r.subs, s.account)
		if s.last != nil {
			s.last()
		}
	}
}
