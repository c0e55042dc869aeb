package directory

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

const (
	loginCacheSize = 10_000
	loginCacheTime = 5 * time.Minute
)

// loginKey stands for a login name and a password. It is keyed with bytes this process alone has, and only while it runs.
type loginKey [sha256.Size]byte

// loginCache remembers which stored hash a login's password was found to match, so that a webmail's login for every request
// does not cost a slow hash each. An entry says nothing unless the hash now in the metadata is still that one.
type loginCache struct {
	secret [32]byte
	now    func() time.Time

	mu    sync.Mutex // guards all below
	order *list.List // of *loginEntry, latest use first
	byKey map[loginKey]*list.Element
}

type loginEntry struct {
	key     loginKey
	hash    string // as stored
	expires time.Time
}

func newLoginCache(now func() time.Time) *loginCache {
	c := &loginCache{now: now, order: list.New(), byKey: make(map[loginKey]*list.Element)}
	_, _ = rand.Read(c.secret[:]) // never fails (crypto/rand)
	return c
}

func (c *loginCache) key(login, password string) (k loginKey) {
	m := hmac.New(sha256.New, c.secret[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(login)))
	m.Write(n[:])
	m.Write([]byte(login))
	m.Write([]byte(password))
	m.Sum(k[:0])
	return k
}

// holds reports whether the password was found to match this stored hash a short time ago.
func (c *loginCache) holds(k loginKey, hash string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byKey[k]
	if !ok {
		return false
	}
	e := el.Value.(*loginEntry)
	if e.hash != hash || !c.now().Before(e.expires) {
		c.order.Remove(el)
		delete(c.byKey, k)
		return false
	}
	c.order.MoveToFront(el)
	return true
}

// add remembers a match. Its time is not extended by use: the password is hashed again every few minutes.
func (c *loginCache) add(k loginKey, hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[k]; ok {
		c.order.Remove(el)
	}
	c.byKey[k] = c.order.PushFront(&loginEntry{k, hash, c.now().Add(loginCacheTime)})
	for c.order.Len() > loginCacheSize {
		oldest := c.order.Back()
		c.order.Remove(oldest)
		delete(c.byKey, oldest.Value.(*loginEntry).key)
	}
}
