package blobstorefault

import (
	"context"
	"strings"
	"sync"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// Op is a kind of call.
type Op int

// The calls that rules may name.
const (
	Put Op = iota
	Create
	Write
	Commit
	ReadRange
	Stat
	List
	Delete
	Ping
)

// Mode is what happens to a call.
type Mode int

// The faults. Truncate and Corrupt are for Put, Write and ReadRange; elsewhere they do nothing.
const (
	FailBefore Mode = iota // the call fails and has done nothing
	FailAfter              // the call is carried out, and reported as failed
	Delay                  // the call waits for Rule.Until or its context, then goes on
	Truncate               // half of the bytes are lost; the call reports success
	Corrupt                // one bit is flipped; the call reports success
)

// Rule says which calls are hit by what.
type Rule struct {
	Op     Op
	Prefix string // of the key; "": all
	Nth    int    // the nth matching call since the rule was added, from 1; 0: every one
	Mode   Mode
	Err    error           // for FailBefore and FailAfter; nil: Unavailable
	Until  <-chan struct{} // for Delay: closed when it is over
}

// Store is a Store with faults.
type Store struct {
	inner blobstore.Store

	mu    sync.Mutex
	rules []*rule // guarded by mu
}

type rule struct {
	Rule
	seen, hit int
}

var _ blobstore.Store = (*Store)(nil)

// New returns inner without any faults yet.
func New(inner blobstore.Store) *Store { return &Store{inner: inner} }

// Add adds a rule. It returns how often the rule has hit so far, and a function that removes it.
func (s *Store) Add(r Rule) (hits func() int, remove func()) {
	added := &rule{Rule: r}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, added)
	hits = func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return added.hit
	}
	return hits, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, r := range s.rules {
			if r == added {
				s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
				return
			}
		}
	}
}

// match returns the first rule that hits the call, nil for none.
func (s *Store) match(op Op, key string) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *Rule
	for _, r := range s.rules {
		if r.Op != op || !strings.HasPrefix(key, r.Prefix) {
			continue
		}
		r.seen++
		if first == nil && (r.Nth == 0 || r.Nth == r.seen) {
			r.hit++
			first = &r.Rule
		}
	}
	return first
}

// do carries out a call under its rule. damage tells call what to do to its bytes.
func (s *Store) do(ctx context.Context, op Op, key string, call func(damage func([]byte) []byte) error) error {
	r := s.match(op, key)
	if r == nil {
		return call(intact)
	}
	err := r.Err
	if err == nil {
		err = mailerr.New("blobstorefault", mailerr.Unavailable, "")
	}
	switch r.Mode {
	case FailBefore:
		return err
	case FailAfter:
		if err := call(intact); err != nil {
			return err
		}
		return err
	case Delay:
		select {
		case <-r.Until:
		case <-ctx.Done():
			return mailerr.Wrap("blobstorefault", mailerr.Unavailable, ctx.Err())
		}
	case Truncate:
		return call(func(b []byte) []byte { return b[:len(b)/2] })
	case Corrupt:
		return call(flip)
	}
	return call(intact)
}

func intact(b []byte) []byte { return b }

func flip(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	b = append([]byte(nil), b...)
	b[len(b)/2] ^= 0x10
	return b
}

// Put stores one object, or what the rules leave of it.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, Put, key, func(damage func([]byte) []byte) error { return s.inner.Put(ctx, key, damage(data)) })
}

// ReadRange returns a range, or what the rules leave of it.
func (s *Store) ReadRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = s.do(ctx, ReadRange, key, func(damage func([]byte) []byte) error {
		data, err = s.inner.ReadRange(ctx, key, offset, length)
		data = damage(data)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Stat returns the object's size.
func (s *Store) Stat(ctx context.Context, key string) (info blobstore.ObjectInfo, err error) {
	err = s.do(ctx, Stat, key, func(func([]byte) []byte) error {
		info, err = s.inner.Stat(ctx, key)
		return err
	})
	return info, err
}

// List lists objects; its prefix is the key that rules see.
func (s *Store) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	return s.do(ctx, List, prefix, func(func([]byte) []byte) error { return s.inner.List(ctx, prefix, yield) })
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.do(ctx, Delete, key, func(func([]byte) []byte) error { return s.inner.Delete(ctx, key) })
}

// Ping pings.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, Ping, "", func(func([]byte) []byte) error { return s.inner.Ping(ctx) })
}

// Close closes the inner Store.
func (s *Store) Close() error { return s.inner.Close() }

// Create begins an upload whose Write and Commit are under the rules, too.
func (s *Store) Create(ctx context.Context, key string) (blobstore.Upload, error) {
	u := &upload{s: s, ctx: ctx, key: key}
	err := s.do(ctx, Create, key, func(func([]byte) []byte) (err error) {
		u.inner, err = s.inner.Create(ctx, key)
		return err
	})
	if err != nil {
		if u.inner != nil {
			u.inner.Abort(ctx)
		}
		return nil, err
	}
	return u, nil
}

type upload struct {
	s     *Store
	inner blobstore.Upload
	ctx   context.Context // Create's
	key   string
}

func (u *upload) Write(p []byte) (int, error) {
	err := u.s.do(u.ctx, Write, u.key, func(damage func([]byte) []byte) error {
		_, err := u.inner.Write(damage(p))
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (u *upload) Commit(ctx context.Context) error {
	called := false
	err := u.s.do(ctx, Commit, u.key, func(func([]byte) []byte) error {
		called = true
		return u.inner.Commit(ctx)
	})
	if !called {
		u.inner.Abort(ctx)
	}
	return err
}

func (u *upload) Abort(ctx context.Context) { u.inner.Abort(ctx) }
