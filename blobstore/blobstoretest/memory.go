package blobstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

var _ blobstore.Store = (*Memory)(nil)

// Memory is a Store for tests that look at bytes, ranges and faults rather than at a server. It counts what is read.
type Memory struct {
	mu      sync.Mutex
	objects map[string]memoryObject // guarded by mu
	ranges  [][2]int64              // offset and length of every ReadRange; guarded by mu
}

type memoryObject struct {
	data     []byte
	modified time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{objects: map[string]memoryObject{}} }

// Object returns a copy of an object's bytes, nil if there is none.
func (m *Memory) Object(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.objects[key].data)
}

// SetObject replaces an object's bytes.
func (m *Memory) SetObject(key string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = memoryObject{bytes.Clone(data), time.Now()}
}

// Ranges returns offset and length of every ReadRange since the last call.
func (m *Memory) Ranges() [][2]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.ranges
	m.ranges = nil
	return r
}

// Put stores one object.
func (m *Memory) Put(ctx context.Context, key string, data []byte) error {
	if err := m.check(ctx, "memory.Put", key); err != nil {
		return err
	}
	m.SetObject(key, data)
	return nil
}

func (m *Memory) check(ctx context.Context, op, key string) error {
	if err := blobstore.CheckKey(op, key); err != nil {
		return err
	}
	return mailerr.Wrap(op, mailerr.Unavailable, ctx.Err())
}

func (m *Memory) get(ctx context.Context, op, key string) (memoryObject, error) {
	if err := m.check(ctx, op, key); err != nil {
		return memoryObject{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return o, mailerr.Wrap(op, mailerr.NotFound, errors.New(key))
	}
	return o, nil
}

// ReadRange returns a copy of a range.
func (m *Memory) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	const op = "memory.ReadRange"
	if err := blobstore.CheckRange(op, key, offset, length); err != nil {
		return nil, err
	}
	o, err := m.get(ctx, op, key)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.ranges = append(m.ranges, [2]int64{offset, length})
	m.mu.Unlock()
	if offset+length > int64(len(o.data)) {
		return nil, mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%s has %d bytes", key, len(o.data)))
	}
	return append([]byte{}, o.data[offset:offset+length]...), nil
}

// Stat returns the object's size.
func (m *Memory) Stat(ctx context.Context, key string) (blobstore.ObjectInfo, error) {
	o, err := m.get(ctx, "memory.Stat", key)
	if err != nil {
		return blobstore.ObjectInfo{}, err
	}
	return blobstore.ObjectInfo{Key: key, Size: int64(len(o.data)), Modified: o.modified}, nil
}

// List calls yield for every object whose key begins with prefix, in key order.
func (m *Memory) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	const op = "memory.List"
	if err := blobstore.CheckPrefix(op, prefix); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return mailerr.Wrap(op, mailerr.Unavailable, err)
	}
	m.mu.Lock()
	keys := slices.Sorted(maps.Keys(m.objects))
	m.mu.Unlock()
	for _, key := range keys {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		info, err := m.Stat(ctx, key)
		if mailerr.Is(err, mailerr.NotFound) {
			continue
		}
		if err == nil {
			err = yield(info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Delete removes an object.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := m.check(ctx, "memory.Delete", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// Ping succeeds.
func (m *Memory) Ping(ctx context.Context) error {
	return mailerr.Wrap("memory.Ping", mailerr.Unavailable, ctx.Err())
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Create begins an object.
func (m *Memory) Create(ctx context.Context, key string) (blobstore.Upload, error) {
	if err := m.check(ctx, "memory.Create", key); err != nil {
		return nil, err
	}
	return &memoryUpload{m: m, key: key}, nil
}

type memoryUpload struct {
	m   *Memory
	key string
	bytes.Buffer
}

func (u *memoryUpload) Commit(ctx context.Context) error { return u.m.Put(ctx, u.key, u.Bytes()) }

func (u *memoryUpload) Abort(context.Context) { u.Reset() }
