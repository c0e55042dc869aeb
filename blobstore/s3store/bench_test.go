package s3store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/blobstore/s3store"
	"github.com/rookery-mail/rookery/integration/servers"
)

// BenchmarkMinIO measures puts of packs and range reads of messages, eight at a time.
func BenchmarkMinIO(b *testing.B) {
	s, err := s3store.Open(b.Context(), s3store.Options{URL: servers.MinIO(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, size := range []int{4 << 10, 160 << 10, 4 << 20} {
		data := blobstoretest.Bytes(1, size)
		var n atomic.Int64
		b.Run(fmt.Sprintf("Put/%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.Put(b.Context(), fmt.Sprintf("b/%d/%d", size, n.Add(1)), data); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("ReadRange/4K", func(b *testing.B) {
		b.SetBytes(4 << 10)
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.ReadRange(b.Context(), fmt.Sprintf("b/%d/1", 4<<20), 1<<20, 4<<10); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
