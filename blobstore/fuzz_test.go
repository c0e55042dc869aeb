package blobstore_test

import (
	"bytes"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

// FuzzReadFooter reads any bytes as a pack: entries or an Internal error.
func FuzzReadFooter(f *testing.F) {
	s := blobstoretest.NewMemory()
	smallPack(f, s)
	good := s.Object(blobstore.PackKey(id(1)))
	f.Add(good)
	f.Add(good[:100])
	f.Add(good[len(good)-40:])
	f.Fuzz(func(t *testing.T, data []byte) {
		s := blobstoretest.NewMemory()
		s.SetObject(blobstore.PackKey(id(1)), data)
		_, err := blobstore.ReadFooter(t.Context(), s, id(1))
		if err != nil && !mailerr.Is(err, mailerr.Internal) {
			t.Errorf("ReadFooter: %v, want Internal", err)
		}
		if bytes.Equal(data, good) && err != nil {
			t.Errorf("ReadFooter: %v", err)
		}
		_, _ = blobstore.VerifyPack(t.Context(), s, id(1))
	})
}

// FuzzReadAt reads any bytes as frames, with any frame table.
func FuzzReadAt(f *testing.F) {
	c := blobstore.Compress(text(1, 1000))
	two := blobstore.Compress(text(1, F+1000))
	f.Add(c.Data, c.Frames, c.Size, int64(0))
	f.Add(two.Data, two.Frames, two.Size, int64(F-10))
	f.Fuzz(func(t *testing.T, data, frames []byte, size, off int64) {
		s := blobstoretest.NewMemory()
		object := append(make([]byte, 24), data...)
		s.SetObject(blobstore.PackKey(id(1)), object)
		r := blobstore.NewReader(s, blobstore.ReaderOptions{})
		loc := blobstore.Location{Pack: id(1), Offset: 24, Length: int64(len(data)), Size: size, Frames: frames}
		n, err := r.ReadAt(t.Context(), loc, make([]byte, 1000), off)
		if n < 0 || n > 1000 || n < 1000 && err == nil {
			t.Errorf("ReadAt = %d, %v", n, err)
		}
	})
}
