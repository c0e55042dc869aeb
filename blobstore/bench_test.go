package blobstore_test

import (
	"fmt"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
)

func BenchmarkCompress(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, F} {
		for name, body := range map[string][]byte{"text": text(1, size), "random": blobstoretest.Bytes(1, size)} {
			b.Run(fmt.Sprintf("%s/%dK", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var c blobstore.Compressed
				for b.Loop() {
					c = blobstore.Compress(body)
				}
				b.ReportMetric(float64(len(c.Data))/float64(size), "ratio")
			})
		}
	}
}

func BenchmarkReadAt(b *testing.B) {
	s := blobstoretest.NewMemory()
	for _, size := range []int{4 << 10, 64 << 10, F} {
		p := blobstore.NewBuilder(id(1))
		loc := p.Add(blobstore.Compress(text(1, size)))
		if _, err := p.Put(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		for name, cache := range map[string]int64{"uncached": 0, "cached": 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dK", name, size>>10), func(b *testing.B) {
				r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: cache})
				buf := make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := r.ReadAt(b.Context(), loc, buf, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
			s.Ranges()
		}
	}
}

// BenchmarkBuilder makes packs of 50 messages of 4 KB each, as a busy lane does.
func BenchmarkBuilder(b *testing.B) {
	s := discard{blobstoretest.NewMemory()}
	body := text(1, 4<<10)
	b.SetBytes(50 * int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p := blobstore.NewBuilder(id(1))
		for i := range 50 {
			p.Add(blobstore.Compress(body), entry(byte(i)))
		}
		if _, err := p.Put(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
