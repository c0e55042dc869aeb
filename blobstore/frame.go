package blobstore

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxFrameLen bounds a compressed frame: zstd stores what it can not shrink, with a few bytes of headers.
const maxFrameLen = FrameSize + 1<<10

// smallFrame is up to how many raw bytes a frame is compressed by the quicker encoder: half the time for some 4% more bytes.
// Where most messages are small, compressing is a fifth of what a delivery costs the node.
const smallFrame = 32 << 10

// The encoders and the decoder are shared: EncodeAll and DecodeAll are stateless, run on the caller's goroutine, and draw
// their working memory from a pool with GOMAXPROCS places. Neither may ever need more memory than a frame's worth.
var (
	encoder      = newEncoder(zstd.SpeedDefault)
	smallEncoder = newEncoder(zstd.SpeedFastest)
	decoder      = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(0),
			zstd.WithDecoderMaxMemory(FrameSize),
			zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderLowmem(true))
		if err != nil {
			panic("blobstore: decoder options: " + err.Error())
		}
		return d
	})
)

func newEncoder(level zstd.EncoderLevel) func() *zstd.Encoder {
	return sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(level),
			zstd.WithEncoderConcurrency(0),
			zstd.WithWindowSize(FrameSize),
			zstd.WithSingleSegment(true), // so that the header carries the raw size
			zstd.WithEncoderCRC(true),
			zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic("blobstore: encoder options: " + err.Error())
		}
		return e
	})
}

// frameBuffers holds raw buffers of FrameSize capacity for writers.
var frameBuffers = sync.Pool{New: func() any { return new([FrameSize]byte) }}

// encodeFrame appends raw, at most FrameSize bytes and not empty, to dst as one frame.
func encodeFrame(dst, raw []byte) []byte {
	if len(raw) <= smallFrame {
		return smallEncoder().EncodeAll(raw, dst)
	}
	return encoder().EncodeAll(raw, dst)
}

// decodeFrame returns the size raw bytes of a frame in memory of its own. The header must be what encodeFrame writes, so that
// a flipped bit can not switch the checksum off or make the decoder allocate.
func decodeFrame(frame []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return nil, fmt.Errorf("frame header: %w", err)
	}
	if h.Skippable || !h.HasCheckSum || !h.HasFCS || h.DictionaryID != 0 || h.FrameContentSize != uint64(size) || size > FrameSize {
		return nil, errors.New("frame header does not fit the frame table")
	}
	raw, err := decoder().DecodeAll(frame, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("frame: %w", err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("frame of %d bytes instead of %d", len(raw), size)
	}
	return raw, nil
}

// FrameWriter splits raw bytes into frames. It holds one frame.
type FrameWriter struct {
	dst    io.Writer
	raw    *[FrameSize]byte // nil when there is nothing in it
	n      int              // bytes in raw
	packed []byte
	table  frameTable
	closed bool
	err    error
}

// NewFrameWriter returns a FrameWriter that writes finished frames to dst.
func NewFrameWriter(dst io.Writer) *FrameWriter { return &FrameWriter{dst: dst} }

var errWriterClosed = errors.New("blobstore: write to a closed FrameWriter")

// Write takes raw bytes.
func (w *FrameWriter) Write(p []byte) (int, error) {
	if w.closed && w.err == nil {
		w.err = errWriterClosed
	}
	taken := 0
	for len(p) > 0 && w.err == nil {
		if w.n == 0 && len(p) >= FrameSize {
			w.flush(p[:FrameSize])
			p, taken = p[FrameSize:], taken+FrameSize
			continue
		}
		if w.raw == nil {
			w.raw = frameBuffers.Get().(*[FrameSize]byte)
		}
		n := copy(w.raw[w.n:], p)
		w.n += n
		p, taken = p[n:], taken+n
		if w.n == FrameSize {
			w.flush(w.raw[:])
			w.n = 0
		}
	}
	return taken, w.err
}

func (w *FrameWriter) flush(raw []byte) {
	w.packed = encodeFrame(w.packed[:0], raw)
	if _, err := w.dst.Write(w.packed); err != nil {
		w.err = err
		return
	}
	w.table.add(len(w.packed), len(raw))
}

// Close writes the last frame. After it Frames, Length and Size are final. It does not close dst.
func (w *FrameWriter) Close() error {
	if w.closed {
		return w.err
	}
	if w.n > 0 && w.err == nil {
		w.flush(w.raw[:w.n])
	}
	w.closed = true
	if w.raw != nil {
		frameBuffers.Put(w.raw)
		w.raw, w.n = nil, 0
	}
	w.packed = nil
	return w.err
}

// Frames returns the frame table, as in Location.
func (w *FrameWriter) Frames() []byte { return w.table.frames }

// Length returns the compressed bytes written to dst.
func (w *FrameWriter) Length() int64 { return w.table.length }

// Size returns the raw bytes taken.
func (w *FrameWriter) Size() int64 { return w.table.size + int64(w.n) }

// Compress returns a small body as frames. Large ones are streamed, by FrameWriter or PackUpload.
func Compress(raw []byte) Compressed {
	var c Compressed
	var table frameTable
	for len(raw) > 0 {
		n := min(len(raw), FrameSize)
		before := len(c.Data)
		c.Data = encodeFrame(c.Data, raw[:n])
		table.add(len(c.Data)-before, n)
		raw = raw[n:]
	}
	c.Frames, c.Size = table.frames, table.size
	return c
}
