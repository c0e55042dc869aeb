package blobstore

import (
	"context"
	"hash/crc32"
	"sync"

	"github.com/rookery-mail/rookery/mailerr"
)

// Builder collects bodies for one pack in memory.
type Builder struct {
	id     PackID
	data   []byte
	bodies []footerBody
}

// packBuffers keeps buffers of finished packs for the next ones; larger ones are left to the garbage collector.
var packBuffers sync.Pool

const maxPooledPack = 16 << 20

// NewBuilder begins a pack.
func NewBuilder(id PackID) *Builder {
	b := &Builder{id: id}
	if p, ok := packBuffers.Get().(*[]byte); ok {
		b.data = (*p)[:0]
	}
	h := packHeader(id)
	b.data = append(b.data, h[:]...)
	return b
}

// Add puts a body into the pack, once for all its owners, and returns where it will be. Entry.Location is filled in.
func (b *Builder) Add(c Compressed, owners ...Entry) Location {
	loc := Location{Pack: b.id, Offset: int64(len(b.data)), Length: int64(len(c.Data)), Size: c.Size, Frames: c.Frames}
	b.data = append(b.data, c.Data...)
	b.bodies = append(b.bodies, newFooterBody(loc, crc32.Checksum(c.Data, crcTable), owners))
	return loc
}

// Len returns the pack's size so far, without footer.
func (b *Builder) Len() int64 { return int64(len(b.data)) }

// Put finishes the pack and stores it under PackKey; it returns the object's size. It is called once.
func (b *Builder) Put(ctx context.Context, s Store) (size int64, err error) {
	data, err := appendFooter(b.data, b.id, b.bodies, int64(len(b.data)))
	if err != nil {
		return 0, mailerr.Wrap("blobstore.Builder.Put", mailerr.Internal, err)
	}
	b.data, b.bodies = nil, nil
	err = s.Put(ctx, PackKey(b.id), data)
	size = int64(len(data))
	if cap(data) <= maxPooledPack {
		packBuffers.Put(&data)
	}
	if err != nil {
		return 0, err
	}
	return size, nil
}
