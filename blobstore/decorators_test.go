package blobstore_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstorefault"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func TestLimitConformance(t *testing.T) {
	blobstoretest.Run(t, func(*testing.T) blobstore.Store { return blobstore.Limit(blobstoretest.NewMemory(), 2) })
}

func TestCountConformance(t *testing.T) {
	reg := prometheus.NewRegistry()
	blobstoretest.Run(t, func(*testing.T) blobstore.Store { return blobstore.Count(blobstoretest.NewMemory(), "store", reg) })
}

// running is a Store that knows how many reads run.
type running struct {
	blobstore.Store
	now, most atomic.Int64
	gate      chan struct{}
}

func (r *running) ReadRange(context.Context, string, int64, int64) ([]byte, error) {
	now := r.now.Add(1)
	defer r.now.Add(-1)
	for most := r.most.Load(); now > most && !r.most.CompareAndSwap(most, now); most = r.most.Load() {
	}
	<-r.gate
	return nil, nil
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{gate: make(chan struct{})}
		s := blobstore.Limit(r, 3)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := s.ReadRange(t.Context(), "k", 0, 1); err != nil {
					t.Errorf("ReadRange: %v", err)
				}
			})
		}
		synctest.Wait()
		if n := r.now.Load(); n != 3 {
			t.Errorf("%d calls run, want 3", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := s.ReadRange(ctx, "k", 0, 1); !mailerr.Is(err, mailerr.Unavailable) {
				t.Errorf("a cancelled wait: %v, want Unavailable", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(r.gate)
		wg.Wait()
		if n := r.most.Load(); n != 3 {
			t.Errorf("%d calls ran at a time, want 3", n)
		}
	})
}

func TestCountTotals(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := blobstore.Count(blobstoretest.NewMemory(), "store", reg)
	again := blobstore.Count(c, "above", reg)
	data := make([]byte, 1000)
	if err := again.Put(t.Context(), "k", data); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadRange(t.Context(), "k", 0, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadRange(t.Context(), "none", 0, 10); err == nil {
		t.Fatal("no error")
	}
	for _, commit := range []bool{true, false} {
		u, err := c.Create(t.Context(), "u")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(data[:500]); err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := u.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else {
			u.Abort(t.Context())
		}
	}
	want := blobstore.Totals{
		Put:    blobstore.OpTotals{Calls: 1, Bytes: 1000},
		Read:   blobstore.OpTotals{Calls: 2, Failed: 1, Bytes: 10},
		Upload: blobstore.OpTotals{Calls: 2, Failed: 1, Bytes: 500},
	}
	if got := c.Totals(); got != want {
		t.Errorf("Totals = %+v, want %+v", got, want)
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 3 {
		t.Errorf("Gather: %d families, %v", len(families), err)
	}
	for _, f := range families {
		if f.GetName() == "rookery_blobstore_calls_total" && len(f.GetMetric()) != 6 {
			t.Errorf("%s has %d series, want 6", f.GetName(), len(f.GetMetric()))
		}
	}
}

// TestFaultyStoreNeverGivesWrongContent reads through a store that loses and flips bytes.
func TestFaultyStoreNeverGivesWrongContent(t *testing.T) {
	for _, mode := range []blobstorefault.Mode{blobstorefault.Truncate, blobstorefault.Corrupt} {
		m := blobstoretest.NewMemory()
		s := blobstorefault.New(m)
		bodies, locs, _ := smallPack(t, m)
		_, remove := s.Add(blobstorefault.Rule{Op: blobstorefault.ReadRange, Nth: 1, Mode: mode})
		r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 1 << 20})
		p := make([]byte, len(bodies[0]))
		if _, err := r.ReadAt(t.Context(), locs[0], p, 0); !mailerr.Is(err, mailerr.Internal) {
			t.Errorf("mode %d: %v, want Internal", mode, err)
		}
		// The fault was not cached.
		if _, err := r.ReadAt(t.Context(), locs[0], p, 0); err != nil || !bytes.Equal(p, bodies[0]) {
			t.Errorf("mode %d, again: %v", mode, err)
		}
		remove()
		s.Add(blobstorefault.Rule{Op: blobstorefault.ReadRange, Mode: mode})
		if _, err := blobstore.VerifyPack(t.Context(), s, id(1)); !mailerr.Is(err, mailerr.Internal) {
			t.Errorf("mode %d: VerifyPack: %v, want Internal", mode, err)
		}
	}
}
