package blobstore

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestCompressedReader(t *testing.T) {
	for _, size := range []int{0, 1, FrameSize - 1, FrameSize, FrameSize + 1, 3*FrameSize + 17} {
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = byte(rand.IntN(7))
		}
		c := Compress(raw)
		got, err := io.ReadAll(c.Reader())
		if err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
		}
		if size == 0 {
			continue
		}
		p := make([]byte, min(size, 100))
		off := int64(size - len(p))
		if n, err := c.Reader().ReadAt(p, off); err != nil || !bytes.Equal(p[:n], raw[off:]) {
			t.Fatalf("%d bytes: the end is wrong: %v", size, err)
		}
		c.Data = bytes.Clone(c.Data)
		c.Data[len(c.Data)-1] ^= 1
		if _, err := io.ReadAll(c.Reader()); !mailerr.Is(err, mailerr.Internal) {
			t.Fatalf("a broken frame gives %v", err)
		}
	}
}
