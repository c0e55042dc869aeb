package blobstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func TestRetryDo(t *testing.T) {
	unavailable := mailerr.New("op", mailerr.Unavailable, "")
	for _, c := range []struct {
		name   string
		fail   int // attempts that fail
		err    error
		calls  int
		ok     bool
		atMost time.Duration
	}{
		{"success", 0, nil, 1, true, 0},
		{"comes back", 3, unavailable, 4, true, 700 * time.Millisecond},
		{"not found", 3, mailerr.New("op", mailerr.NotFound, ""), 1, false, 0},
		{"internal", 3, mailerr.New("op", mailerr.Internal, ""), 1, false, 0},
		{"stays away", 1 << 30, unavailable, -1, false, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, calls, retries := time.Now(), 0, 0
				o := blobstore.RetryOptions{MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second, MaxElapsed: 10 * time.Second,
					OnRetry: func(error) { retries++ }}
				err := o.Do(t.Context(), func(context.Context) error {
					if calls++; calls <= c.fail {
						return c.err
					}
					return nil
				})
				if (err == nil) != c.ok || c.calls >= 0 && calls != c.calls || retries != calls-1 {
					t.Errorf("%v after %d calls, %d retries", err, calls, retries)
				}
				if c.calls < 0 && calls < 10 {
					t.Errorf("%d calls", calls)
				}
				if d := time.Since(start); d > c.atMost {
					t.Errorf("took %v, want at most %v", d, c.atMost)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := blobstore.RetryOptions{MaxElapsed: time.Hour}.Do(ctx, func(context.Context) error {
			return mailerr.New("op", mailerr.Unavailable, "")
		})
		if !mailerr.Is(err, mailerr.Unavailable) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// flakyList fails in the middle of every second List.
type flakyList struct {
	blobstore.Store
	calls int
}

func (f *flakyList) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	f.calls++
	n := 0
	return f.Store.List(ctx, prefix, func(o blobstore.ObjectInfo) error {
		if n++; n == f.calls+1 && f.calls < 3 {
			return mailerr.New("flaky", mailerr.Unavailable, "")
		}
		return yield(o)
	})
}

func TestRetryListGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := blobstoretest.NewMemory()
		for _, k := range []string{"a", "b", "c", "d"} {
			m.SetObject(k, nil)
		}
		got := ""
		f := &flakyList{Store: m}
		err := blobstore.Retry(f, blobstore.RetryOptions{}).List(t.Context(), "", func(o blobstore.ObjectInfo) error {
			got += o.Key
			return nil
		})
		if err != nil || got != "abcd" || f.calls != 3 {
			t.Errorf("%v, %q after %d calls", err, got, f.calls)
		}

		own := mailerr.Wrap("mine", mailerr.Unavailable, errors.New("no more"))
		f = &flakyList{Store: m, calls: 10}
		err = blobstore.Retry(f, blobstore.RetryOptions{}).List(t.Context(), "", func(blobstore.ObjectInfo) error { return own })
		if !errors.Is(err, own) || f.calls != 11 {
			t.Errorf("%v after %d calls, want the caller's error after one", err, f.calls-10)
		}
	})
}

func TestRetryConformance(t *testing.T) {
	blobstoretest.Run(t, func(*testing.T) blobstore.Store {
		return blobstore.Retry(blobstoretest.NewMemory(), blobstore.RetryOptions{})
	})
}
