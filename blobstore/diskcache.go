package blobstore

import (
	"container/list"
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/rookery-mail/rookery/mailerr"
)

// DiskCacheOptions say where a DiskCache lives.
type DiskCacheOptions struct {
	Dir   string // its own directory; made when it is missing
	Bytes int64  // of files, at most
}

// DiskCache is a Store that keeps the ranges it has read as files, for objects that never change. Any of its files may
// disappear or be damaged at any time: each carries a checksum over what it stands for and its bytes, and what is not in order
// is read from the inner Store. Files are not synced: after a power cut they are in order or not used. A DiskCache takes up
// what an earlier one left in Dir. Failing to write makes it useless, not faulty.
type DiskCache struct {
	Store
	files cacheFiles
	bound int64

	hits, misses atomic.Int64

	mu     sync.Mutex
	ranges map[cacheKey][]*list.Element // guarded by mu: by object, of *cacheRange
	lru    *list.List                   // guarded by mu: the front was used last
	bytes  int64                        // guarded by mu: on disk
}

// cacheKey is the beginning of the SHA-256 of an object's key.
type cacheKey [16]byte

// cacheRange is one file.
type cacheRange struct {
	key            cacheKey
	offset, length int64
}

func (r *cacheRange) contains(offset, length int64) bool {
	return offset >= r.offset && offset+length <= r.offset+r.length
}

// maxCachedPart is the part of the whole that the largest kept range has: larger ones would push out too much at once.
const maxCachedPart = 8

// NewDiskCache returns s behind a cache. A directory that cannot be used is an Internal error.
func NewDiskCache(s Store, o DiskCacheOptions) (*DiskCache, error) {
	c := &DiskCache{Store: s, files: cacheFiles{o.Dir}, bound: o.Bytes, lru: list.New(), ranges: map[cacheKey][]*list.Element{}}
	found, err := c.files.takeUp()
	if err != nil {
		return nil, mailerr.Wrap("blobstore.NewDiskCache", mailerr.Internal, err)
	}
	for i := range found { // the oldest first
		c.files.remove(c.add(&found[i]))
	}
	return c, nil
}

// DiskCacheStats count since the start.
type DiskCacheStats struct {
	Hits, Misses int64
	Bytes        int64 // on disk now
}

// Stats returns the counts so far.
func (c *DiskCache) Stats() DiskCacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return DiskCacheStats{c.hits.Load(), c.misses.Load(), c.bytes}
}

// ReadRange returns a range from a file that holds it, or from the inner Store.
func (c *DiskCache) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	const op = "blobstore.DiskCache.ReadRange"
	if err := CheckRange(op, key, offset, length); err != nil {
		return nil, err
	}
	if length == 0 || length > c.bound/maxCachedPart {
		return c.Store.ReadRange(ctx, key, offset, length)
	}
	if err := ctx.Err(); err != nil {
		return nil, mailerr.Wrap(op, mailerr.Unavailable, err)
	}
	hash := hashKey(key)
	if r := c.find(hash, offset, length); r != nil {
		if data, err := c.files.read(r); err == nil {
			c.hits.Add(1)
			at := offset - r.offset
			return data[at : at+length : at+length], nil
		}
		c.remove(hash, func(have *cacheRange) bool { return have == r })
	}
	c.misses.Add(1)
	data, err := readExactly(ctx, c.Store, key, offset, length)
	if err != nil {
		return nil, err
	}
	r := &cacheRange{key: hash, offset: offset, length: length}
	if c.files.write(r, data) == nil {
		c.files.remove(c.add(r))
	}
	return data, nil
}

func hashKey(key string) cacheKey {
	h := sha256.Sum256([]byte(key))
	return cacheKey(h[:16])
}

// find returns a range that holds the wanted one, and notes its use.
func (c *DiskCache) find(key cacheKey, offset, length int64) *cacheRange {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.ranges[key] {
		if r := e.Value.(*cacheRange); r.contains(offset, length) {
			c.lru.MoveToFront(e)
			return r
		}
	}
	return nil
}

// add notes a file, and takes out those that it makes needless and those there is no room for any more: the caller removes
// them.
func (c *DiskCache) add(r *cacheRange) (out []*cacheRange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range append([]*list.Element(nil), c.ranges[r.key]...) {
		have := e.Value.(*cacheRange)
		if *have == *r {
			c.lru.MoveToFront(e) // written twice at the same time
			return out
		}
		if r.contains(have.offset, have.length) {
			out = append(out, c.takeOut(e))
		}
	}
	c.ranges[r.key] = append(c.ranges[r.key], c.lru.PushFront(r))
	c.bytes += onDisk(r)
	for c.bytes > c.bound && c.lru.Len() > 0 {
		out = append(out, c.takeOut(c.lru.Back()))
	}
	return out
}

// takeOut forgets a file. The caller holds mu.
func (c *DiskCache) takeOut(e *list.Element) *cacheRange {
	r := c.lru.Remove(e).(*cacheRange)
	of := c.ranges[r.key]
	for i := range of {
		if of[i] == e {
			of = append(of[:i:i], of[i+1:]...)
			break
		}
	}
	if len(of) == 0 {
		delete(c.ranges, r.key)
	} else {
		c.ranges[r.key] = of
	}
	c.bytes -= onDisk(r)
	return r
}

// remove forgets and removes files of an object.
func (c *DiskCache) remove(key cacheKey, which func(*cacheRange) bool) {
	var out []*cacheRange
	c.mu.Lock()
	for _, e := range append([]*list.Element(nil), c.ranges[key]...) {
		if which(e.Value.(*cacheRange)) {
			out = append(out, c.takeOut(e))
		}
	}
	c.mu.Unlock()
	c.files.remove(out)
}

func (c *DiskCache) removeAll(key string) {
	c.remove(hashKey(key), func(*cacheRange) bool { return true })
}

// Put stores an object and forgets what was read of one under the same key.
func (c *DiskCache) Put(ctx context.Context, key string, data []byte) error {
	defer c.removeAll(key)
	return c.Store.Put(ctx, key, data)
}

// Delete removes an object and what was read of it.
func (c *DiskCache) Delete(ctx context.Context, key string) error {
	defer c.removeAll(key)
	return c.Store.Delete(ctx, key)
}

// Create begins an object and forgets what was read of one under the same key.
func (c *DiskCache) Create(ctx context.Context, key string) (Upload, error) {
	defer c.removeAll(key)
	return c.Store.Create(ctx, key)
}
