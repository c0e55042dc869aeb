package pop3d

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
)

// faultyMeta is a metadata.Store with faults that a test switches on.
type faultyMeta struct {
	metadata.Store
	located atomic.Int64 // calls of BodyLocations

	mu      sync.Mutex // guards the fields below
	expunge error
	bodies  error
	acquire error
	renew   error
	renewed func() error  // if set, asked before each renewal
	hold    chan struct{} // Expunge waits until it is closed
	entered chan struct{} // receives a value when an Expunge begins to wait
}

func (f *faultyMeta) fault(get func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return get()
}

func (f *faultyMeta) Expunge(ctx context.Context, r metadata.ExpungeRequest) (*metadata.ExpungeResult, error) {
	f.mu.Lock()
	hold, entered := f.hold, f.entered
	f.mu.Unlock()
	if hold != nil {
		entered <- struct{}{}
		<-hold
	}
	if err := f.fault(func() error { return f.expunge }); err != nil {
		return nil, err
	}
	return f.Store.Expunge(ctx, r)
}

func (f *faultyMeta) BodyLocations(ctx context.Context, a metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	if err := f.fault(func() error { return f.bodies }); err != nil {
		return nil, err
	}
	f.located.Add(1)
	return f.Store.BodyLocations(ctx, a, ids)
}

func (f *faultyMeta) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) error {
	if err := f.fault(func() error { return f.acquire }); err != nil {
		return err
	}
	return f.Store.AcquireLease(ctx, name, holder, ttl)
}

func (f *faultyMeta) RenewLease(ctx context.Context, name, holder string, ttl time.Duration) error {
	err := f.fault(func() error {
		if f.renewed != nil {
			return f.renewed()
		}
		return f.renew
	})
	if err != nil {
		return err
	}
	return f.Store.RenewLease(ctx, name, holder, ttl)
}

// faultyBlobs is a blobstore.Store whose reads can be made to fail.
type faultyBlobs struct {
	blobstore.Store
	reads  atomic.Pointer[error]
	ranges atomic.Int64 // read
	puts   atomic.Int64
}

func (f *faultyBlobs) Put(ctx context.Context, key string, data []byte) error {
	f.puts.Add(1)
	return f.Store.Put(ctx, key, data)
}

func (f *faultyBlobs) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if err := f.reads.Load(); err != nil && *err != nil {
		return nil, *err
	}
	f.ranges.Add(1)
	return f.Store.ReadRange(ctx, key, offset, length)
}

// faultyDirectory is a Directory that can be made to fail, or to panic.
type faultyDirectory struct {
	directory.Directory

	mu     sync.Mutex // guards the fields below
	err    error
	panics bool
}

func (f *faultyDirectory) Authenticate(ctx context.Context, login, password string) (*metadata.Account, error) {
	f.mu.Lock()
	err, panics := f.err, f.panics
	f.mu.Unlock()
	if panics {
		panic("a fault in Authenticate")
	}
	if err != nil {
		return nil, err
	}
	return f.Directory.Authenticate(ctx, login, password)
}
