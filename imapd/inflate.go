package imapd

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	// parkedBuffer is for the first compressed bytes after a pause, busyInput for those that follow them.
	parkedBuffer = 256
	busyInput    = 4 << 10
)

var inputs = sync.Pool{New: func() any { return new([busyInput]byte) }}

// errPark stops the decoder at the end of a block behind which there is nothing yet.
var errPark = errors.New("imapd: no more input for now")

// inflater reads a client's DEFLATE stream (RFC 4978). While it waits for the client between two blocks, which is where clients
// flush, it holds no decoder: what that takes (some 90 KiB) is made anew when bytes come in, and what the client sent last, up to
// 32 KiB, is kept, because what comes may refer to it.
type inflater struct {
	src    io.Reader
	z      io.ReadCloser // nil while parked
	window []byte        // while parked: what was sent last

	parked     [parkedBuffer]byte
	box        *[busyInput]byte // from inputs, while not parked
	in         []byte           // received and not decoded: of parked or box
	tail       uint32           // the last four bytes that the decoder has taken
	decoded    int64            // where the last block ended, of what was decoded since the decoder was made
	atBoundary bool             // a flush ended with the last byte that was taken
	finishing  bool             // nothing is decoded behind the next flush
}

// newInflater returns an inflater of src, of which received was read already.
func newInflater(src io.Reader, received []byte) *inflater {
	return &inflater{src: src, in: append([]byte(nil), received...)}
}

// Read returns decoded bytes. Errors are those of the connection, or flate's for what is no DEFLATE; io.EOF at the end of either.
func (f *inflater) Read(p []byte) (int, error) {
	for {
		if f.z == nil {
			if err := f.wake(); err != nil {
				return 0, err
			}
		}
		n, err := f.z.Read(p)
		if errors.Is(err, errPark) {
			err = nil
			f.z = nil
			inputs.Put(f.box)
			f.box = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// wake waits for input and makes a decoder.
func (f *inflater) wake() error {
	if len(f.in) == 0 {
		n, err := f.src.Read(f.parked[:])
		if n == 0 {
			return err // nil: nothing yet
		}
		f.in = f.parked[:n]
	}
	f.z = flate.NewReaderOpts(decoderInput{f}, flate.WithDict(f.window), flate.WithEobCallback(f.blockEnds))
	f.box = inputs.Get().(*[busyInput]byte)
	f.window, f.tail, f.decoded, f.atBoundary = nil, 0, 0, false
	return nil
}

// syncMarker is how a flush ends: with the two lengths of an empty stored block (RFC 1951 section 3.2.4), which end on a byte.
const syncMarker = 0x0000ffff

// blockEnds is told of every block's end. That CompressedOffset is that of in's end is not enough: the decoder takes bytes
// beforehand, and counts some of them twice.
func (f *inflater) blockEnds(at flate.InflateCheckpoint) {
	empty := at.UncompressedOffset == f.decoded
	f.decoded = at.UncompressedOffset
	f.atBoundary = empty && f.tail == syncMarker && at.BitOffset == 0 && !at.Final
	if f.atBoundary && len(f.in) == 0 {
		f.window = append([]byte(nil), at.Window...)
	}
}

// finish ends the stream at the flush behind what was read last, and returns what has come in behind that.
func (f *inflater) finish() (rest []byte, err error) {
	f.finishing = true
	var drop [64]byte
	for err == nil && f.z != nil && !f.atBoundary {
		_, err = f.z.Read(drop[:])
	}
	if errors.Is(err, errPark) || err == io.EOF {
		err = nil
	}
	rest = bytes.Clone(f.in)
	if f.box != nil {
		inputs.Put(f.box)
	}
	f.z, f.box, f.in, f.window = nil, nil, nil, nil
	return rest, err
}

// decoderInput is what the decoder reads from. It takes no more than it needs.
type decoderInput struct{ f *inflater }

func (d decoderInput) ReadByte() (byte, error) {
	f := d.f
	if err := f.more(); err != nil {
		return 0, err
	}
	c := f.in[0]
	f.in = f.in[1:]
	f.tail = f.tail<<8 | uint32(c)
	return c, nil
}

func (d decoderInput) Read(p []byte) (int, error) {
	f := d.f
	if err := f.more(); err != nil {
		return 0, err
	}
	n := copy(p, f.in)
	f.in = f.in[n:]
	for _, c := range p[max(0, n-4):n] {
		f.tail = f.tail<<8 | uint32(c)
	}
	return n, nil
}

// more waits for input when there is none, but not between blocks.
func (f *inflater) more() error {
	if f.atBoundary && (len(f.in) == 0 || f.finishing) {
		return errPark
	}
	f.atBoundary = false
	if len(f.in) > 0 {
		return nil
	}
	for range 100 {
		n, err := f.src.Read(f.box[:])
		if f.in = f.box[:n]; n > 0 {
			return nil // an error comes again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
