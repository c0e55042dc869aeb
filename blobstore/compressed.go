package blobstore

import (
	"io"
	"sync"

	"github.com/rookery-mail/rookery/mailerr"
)

// Reader returns a reader of the raw bytes. It holds one frame.
func (c Compressed) Reader() *io.SectionReader {
	return io.NewSectionReader(&compressedReader{c: c}, 0, c.Size)
}

type compressedReader struct {
	c Compressed

	mu    sync.Mutex
	frame int64  // guarded by mu: which one raw is
	raw   []byte // guarded by mu; nil before the first
}

// ReadAt implements io.ReaderAt. Internal when the frames are not what they must be.
func (r *compressedReader) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) && off < r.c.Size {
		if err := r.load(off / FrameSize); err != nil {
			return n, mailerr.Wrap("blobstore.Compressed.ReadAt", mailerr.Internal, err)
		}
		m := copy(p[n:], r.raw[off%FrameSize:])
		n += m
		off += int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (r *compressedReader) load(frame int64) error {
	if r.raw != nil && r.frame == frame {
		return nil
	}
	loc := Location{Offset: headerLen, Length: int64(len(r.c.Data)), Size: r.c.Size, Frames: r.c.Frames}
	refs, err := frameRefs(nil, &loc, frame, frame)
	if err != nil {
		return err
	}
	at := refs[0].offset - headerLen
	raw, err := decodeFrame(r.c.Data[at:at+int64(refs[0].length)], refs[0].size)
	if err != nil {
		return err
	}
	r.frame, r.raw = frame, raw
	return nil
}
