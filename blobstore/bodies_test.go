package blobstore_test

import (
	"bytes"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
)

// Bodies that lie side by side come by one range whatever their order, and leave the cache alone.
func TestReadBodies(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	var bodies [][]byte
	var locs []blobstore.Location
	for i := range 50 {
		body := text(uint64(i), 100*i)
		if i == 7 {
			body = text(7, 3*F+5) // several frames
		}
		bodies = append(bodies, body)
		locs = append(locs, b.Add(blobstore.Compress(body), entry(byte(i))))
	}
	large := text(99, 5*F)
	locs = append(locs, b.Add(blobstore.Compress(large), entry(50)))
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	locs[0], locs[49], bodies[0], bodies[49] = locs[49], locs[0], bodies[49], bodies[0]
	locs = append(locs, locs[3]) // twice
	bodies = append(bodies, nil, bodies[3])
	r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: 64 << 20})
	for range 2 {
		for i, raw := range r.ReadBodies(t.Context(), locs) {
			if !bytes.Equal(raw, bodies[i]) || (raw == nil) != (i == 50) {
				t.Errorf("body %d: %d bytes, want %d", i, len(raw), len(bodies[i]))
			}
		}
		if n := len(s.Ranges()); n != 1 {
			t.Errorf("%d ranges, want 1", n)
		}
	}
}

// A row that is damaged costs nothing and takes no other body along; nor does a pack that is missing.
func TestReadBodiesDamaged(t *testing.T) {
	s := blobstoretest.NewMemory()
	_, locs, _ := smallPack(t, s)
	bad := locs[0]
	bad.Length = 1 << 40
	gone := locs[0]
	gone.Pack = id(77)
	wrong := locs[0]
	wrong.Offset++
	r := blobstore.NewReader(s, blobstore.ReaderOptions{})
	got := r.ReadBodies(t.Context(), []blobstore.Location{bad, gone, wrong, locs[1]})
	if got[0] != nil || got[1] != nil || got[2] != nil || got[3] == nil {
		t.Errorf("got %v", got)
	}
}
