package blobstore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
)

// RetryOptions say how calls that failed as Unavailable are tried again. NotFound, Internal and the others are answers and are
// never tried again.
type RetryOptions struct {
	MinBackoff time.Duration // before the second attempt; 0: 50 ms. It doubles with each one
	MaxBackoff time.Duration // 0: 2 s
	MaxElapsed time.Duration // no attempt begins later than this after the first one; 0: 30 s
	OnRetry    func(error)   // called before each wait with the error; nil: none
}

// Do calls attempt until it succeeds, fails other than as Unavailable, ctx ends, or MaxElapsed is over, and returns the last
// error. Waits are spread at random over half to all of the backoff, so that callers do not come back in step.
func (o RetryOptions) Do(ctx context.Context, attempt func(context.Context) error) error {
	backoff := orDefault(o.MinBackoff, 50*time.Millisecond)
	limit := orDefault(o.MaxBackoff, 2*time.Second)
	end := time.Now().Add(orDefault(o.MaxElapsed, 30*time.Second))
	for {
		err := attempt(ctx)
		if err == nil || !mailerr.Is(err, mailerr.Unavailable) || ctx.Err() != nil {
			return err
		}
		backoff = min(backoff, limit)
		wait := backoff/2 + rand.N(backoff/2+1)
		if time.Now().Add(wait).After(end) {
			return err
		}
		if o.OnRetry != nil {
			o.OnRetry(err)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
		backoff *= 2
	}
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// Retry returns s with its calls tried again as o says. What an Upload writes cannot be replayed from here: only Create itself
// is tried again, and Store implementations see to the parts of an upload. Ping is not: it asks about now.
func Retry(s Store, o RetryOptions) Store { return &retryStore{s, o} }

type retryStore struct {
	Store
	o RetryOptions
}

func (r *retryStore) Put(ctx context.Context, key string, data []byte) error {
	return r.o.Do(ctx, func(ctx context.Context) error { return r.Store.Put(ctx, key, data) })
}

func (r *retryStore) Create(ctx context.Context, key string) (u Upload, err error) {
	err = r.o.Do(ctx, func(ctx context.Context) error {
		u, err = r.Store.Create(ctx, key)
		return err
	})
	return u, err
}

func (r *retryStore) ReadRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = r.o.Do(ctx, func(ctx context.Context) error {
		data, err = r.Store.ReadRange(ctx, key, offset, length)
		return err
	})
	return data, err
}

func (r *retryStore) Stat(ctx context.Context, key string) (info ObjectInfo, err error) {
	err = r.o.Do(ctx, func(ctx context.Context) error {
		info, err = r.Store.Stat(ctx, key)
		return err
	})
	return info, err
}

func (r *retryStore) Delete(ctx context.Context, key string) error {
	return r.o.Do(ctx, func(ctx context.Context) error { return r.Store.Delete(ctx, key) })
}

// List goes on behind the last object it gave out.
func (r *retryStore) List(ctx context.Context, prefix string, yield func(ObjectInfo) error) error {
	last := ""
	var stopped error // by the caller: no reason to begin again, whatever its kind
	err := r.o.Do(ctx, func(ctx context.Context) error {
		err := r.Store.List(ctx, prefix, func(o ObjectInfo) error {
			if o.Key > last {
				last = o.Key
				stopped = yield(o)
			}
			return stopped
		})
		if err == nil || stopped != nil {
			return nil //nolint:nilerr // stopped is returned below
		}
		return err
	})
	if stopped != nil {
		return stopped
	}
	return err
}
