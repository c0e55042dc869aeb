package blobstore

import (
	"encoding/binary"
	"errors"
)

// frameTable grows as frames are written. The last frame's length is not in frames: it follows from the length of all.
type frameTable struct {
	frames       []byte
	last         int
	length, size int64
}

func (t *frameTable) add(length, raw int) {
	if t.length > 0 {
		t.frames = binary.AppendUvarint(t.frames, uint64(t.last))
	}
	t.last = length
	t.length += int64(length)
	t.size += int64(raw)
}

// frameRef is one frame of a body within its pack.
type frameRef struct {
	offset int64 // in the pack
	length int   // compressed
	size   int   // raw
}

var errFrameTable = errors.New("frame table does not fit the body")

// frameCount returns how many frames a body of size raw bytes has.
func frameCount(size int64) int64 {
	n := size / FrameSize
	if size%FrameSize > 0 {
		n++
	}
	return n
}

// frameRefs appends the frames first to last (inclusive, from 0) of loc to dst, after checking the whole table.
func frameRefs(dst []frameRef, loc *Location, first, last int64) ([]frameRef, error) {
	if loc.Offset < headerLen || loc.Length < 0 || loc.Size < 0 || loc.Offset+loc.Length < loc.Offset {
		return nil, errFrameTable
	}
	count := frameCount(loc.Size)
	if count == 0 {
		if loc.Length != 0 || len(loc.Frames) != 0 {
			return nil, errFrameTable
		}
		return dst, nil
	}
	offset, rest, table := loc.Offset, loc.Length, loc.Frames
	for i := range count {
		length, size := rest, loc.Size-i*FrameSize
		if i < count-1 {
			v, n := binary.Uvarint(table)
			if n <= 0 || v > maxFrameLen {
				return nil, errFrameTable
			}
			length, size, table = int64(v), FrameSize, table[n:]
		}
		if length <= 0 || length > maxFrameLen || length > rest {
			return nil, errFrameTable
		}
		if i >= first && i <= last {
			dst = append(dst, frameRef{offset: offset, length: int(length), size: int(size)})
		}
		offset += length
		rest -= length
	}
	if len(table) != 0 || rest != 0 {
		return nil, errFrameTable
	}
	return dst, nil
}
