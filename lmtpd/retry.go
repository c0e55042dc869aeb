package lmtpd

import (
	"crypto/sha256"
	"hash"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/directory"
)

// Bounds of the memory of retries: MTAs give up after five days.
const (
	maxRetries = 10_000
	retryAge   = 5 * 24 * time.Hour
)

// retryKey names a copy across transactions: the same bytes from the same return path for the same address and account.
type retryKey [sha256.Size]byte

func newRetryKey(content hash.Hash, from string, t directory.Target) (k retryKey) {
	if content == nil {
		return k
	}
	h := sha256.New()
	h.Write(content.Sum(nil))
	h.Write(t.Account.ID[:])
	h.Write([]byte(from + "\x00" + t.Address + "\x00" + t.Mailbox))
	h.Sum(k[:0])
	return k
}

// retries remembers the copies that were stored although their recipient was told to try again, because another account it
// leads to had none. A copy found here is not stored twice. It is a kindness, not a promise: this node's memory, bounded.
type retries struct {
	now func() time.Time

	mu    sync.Mutex // guards the fields below
	since map[retryKey]time.Time
	order []retryKey // oldest first
}

func newRetries(now func() time.Time) *retries {
	return &retries{now: now, since: map[retryKey]time.Time{}}
}

func (r *retries) has(k retryKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.since[k]
	return ok && r.now().Sub(at) < retryAge
}

func (r *retries) add(k retryKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for len(r.order) > 0 && (len(r.order) >= maxRetries || now.Sub(r.since[r.order[0]]) >= retryAge) {
		delete(r.since, r.order[0])
		r.order = r.order[1:]
	}
	if _, ok := r.since[k]; ok {
		return
	}
	r.since[k] = now
	r.order = append(r.order, k)
}
