package blobstore_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func TestRangeOfLargeBodyReadsLittle(t *testing.T) {
	s := blobstoretest.NewMemory()
	body := blobstoretest.Bytes(1, 30_000_000)
	u, err := blobstore.CreatePack(t.Context(), s, id(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(body); err != nil {
		t.Fatal(err)
	}
	loc, _, err := u.Commit(t.Context(), entry(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{0, 12_345_678, 30_000_000 - 65536, 4*F - 100} {
		r := blobstore.NewReader(s, blobstore.ReaderOptions{})
		p := make([]byte, 64<<10)
		if _, err := r.ReadAt(t.Context(), loc, p, off); err != nil || !bytes.Equal(p, body[off:off+65536]) {
			t.Fatalf("ReadAt: %v or wrong bytes", err)
		}
		ranges := s.Ranges()
		if len(ranges) != 1 || ranges[0][1] >= 1<<20 {
			t.Errorf("64 KiB at %d cost %v", off, ranges)
		}
	}
}

func TestReaderCacheAndWindows(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	body := text(1, 40*F)
	loc := b.Add(blobstore.Compress(body), entry(1))
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 64 << 20})
	p := make([]byte, len(body))
	for range 2 {
		if n, err := r.ReadAt(t.Context(), loc, p, 0); err != nil || !bytes.Equal(p[:n], body) {
			t.Fatalf("ReadAt: %v or wrong bytes", err)
		}
	}
	if n := len(s.Ranges()); n != 3 {
		t.Errorf("%d ranges for 40 frames read twice, want 3", n)
	}
}

// gate holds up ReadRange until it is opened.
type gate struct {
	blobstore.Store
	open chan struct{}
}

func (g gate) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	select {
	case <-g.open:
		return g.Store.ReadRange(ctx, key, offset, length)
	case <-ctx.Done():
		return nil, mailerr.Wrap("gate", mailerr.Unavailable, ctx.Err())
	}
}

func TestReadersOfOneFrameShareALoad(t *testing.T) {
	for _, cache := range []int64{0, 1 << 20} {
		synctest.Test(t, func(t *testing.T) {
			s := blobstoretest.NewMemory()
			bodies, locs, _ := smallPack(t, s)
			g := gate{s, make(chan struct{})}
			r := blobstore.NewReader(g, blobstore.ReaderOptions{CacheBytes: cache})
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					p := make([]byte, len(bodies[0]))
					if _, err := r.ReadAt(t.Context(), locs[0], p, 0); err != nil || !bytes.Equal(p, bodies[0]) {
						t.Errorf("ReadAt: %v or wrong bytes", err)
					}
				})
			}
			synctest.Wait()
			close(g.open)
			wg.Wait()
			if n := len(s.Ranges()); n != 1 {
				t.Errorf("%d ranges, want 1", n)
			}
		})
	}
}

// TestLoadOutlivesItsFirstReader: a reader whose context ends does not take those who wait for the same frame with it.
func TestLoadOutlivesItsFirstReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := blobstoretest.NewMemory()
		bodies, locs, _ := smallPack(t, s)
		g := gate{s, make(chan struct{})}
		r := blobstore.NewReader(g, blobstore.ReaderOptions{CacheBytes: 1 << 20})
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := r.ReadAt(first, locs[0], make([]byte, 1), 0)
			if !mailerr.Is(err, mailerr.Unavailable) {
				t.Errorf("first reader: %v, want Unavailable", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			p := make([]byte, len(bodies[0]))
			if _, err := r.ReadAt(t.Context(), locs[0], p, 0); err != nil || !bytes.Equal(p, bodies[0]) {
				t.Errorf("second reader: %v or wrong bytes", err)
			}
		})
		wg.Go(func() {
			third, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := r.ReadAt(third, locs[0], make([]byte, 1), 0); !mailerr.Is(err, mailerr.Unavailable) {
				t.Errorf("third reader: %v, want Unavailable", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(g.open)
		wg.Wait()
	})
}

func TestPrefetchMergesNeighbours(t *testing.T) {
	s := blobstoretest.NewMemory()
	var locs []blobstore.Location
	var bodies [][]byte
	for pack := range 2 {
		b := blobstore.NewBuilder(id(byte(pack)))
		for i := range 50 {
			body := text(uint64(100*pack+i), 4000)
			loc := b.Add(blobstore.Compress(body), entry(byte(i)))
			if i%5 != 4 {
				locs, bodies = append(locs, loc), append(bodies, body)
			}
		}
		b.Add(blobstore.Compress(blobstoretest.Bytes(1, 100_000)))
		body := text(uint64(pack), 4000)
		locs, bodies = append(locs, b.Add(blobstore.Compress(body))), append(bodies, body)
		if _, err := b.Put(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 8 << 20})
	r.Prefetch(t.Context(), locs)
	if n := len(s.Ranges()); n != 4 {
		t.Errorf("Prefetch asked for %d ranges, want 2 for each pack", n)
	}
	r.Prefetch(t.Context(), locs)
	for i, loc := range locs {
		p := make([]byte, len(bodies[i]))
		if _, err := r.ReadAt(t.Context(), loc, p, 0); err != nil || !bytes.Equal(p, bodies[i]) {
			t.Fatalf("ReadAt: %v or wrong bytes", err)
		}
	}
	if n := len(s.Ranges()); n != 0 {
		t.Errorf("%d ranges after Prefetch, want 0", n)
	}
}

func TestPrefetchIsBounded(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	var locs []blobstore.Location
	for i := range 100 {
		locs = append(locs, b.Add(blobstore.Compress(blobstoretest.Bytes(uint64(i), 100_000))))
	}
	locs = append(locs, b.Add(blobstore.Compress(make([]byte, 10*F))))
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 4 << 20}).Prefetch(t.Context(), locs)
	total := int64(0)
	for _, r := range s.Ranges() {
		total += r[1]
	}
	if total > 1<<20 {
		t.Errorf("%d bytes read ahead for a cache of 4 MiB", total)
	}
	blobstore.NewReader(s, blobstore.ReaderOptions{}).Prefetch(t.Context(), locs)
	if n := len(s.Ranges()); n != 0 {
		t.Errorf("%d ranges read ahead without a cache", n)
	}
}

func TestPrefetchLeavesErrorsToReadAt(t *testing.T) {
	s := blobstoretest.NewMemory()
	_, locs, _ := smallPack(t, s)
	if err := s.Delete(t.Context(), blobstore.PackKey(id(1))); err != nil {
		t.Fatal(err)
	}
	r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 1 << 20})
	r.Prefetch(t.Context(), locs)
	if _, err := r.ReadAt(t.Context(), locs[0], make([]byte, 10), 0); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("ReadAt: %v, want NotFound", err)
	}
}

// TestReaderCacheKeepsReading reads much more than the cache holds.
func TestReaderCacheKeepsReading(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	body := text(1, 40*F)
	loc := b.Add(blobstore.Compress(body))
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 2 * F})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			p := make([]byte, 100_000)
			for off := int64(g * 1000); off+100_000 < loc.Size; off += 77_777 {
				if _, err := r.ReadAt(t.Context(), loc, p, off); err != nil || !bytes.Equal(p, body[off:off+100_000]) {
					t.Errorf("ReadAt(%d): %v or wrong bytes", off, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
