package imapd

import (
	"errors"
	"io"
	"math/bits"
	"sync"
)

// maxWindow is how far back a DEFLATE stream may refer (RFC 1951 section 2).
const maxWindow = 32 << 10

const (
	// parkedBuffer is for the first compressed bytes after a pause, busyInput for those that follow them.
	parkedBuffer = 256
	busyInput    = 4 << 10
)

var errNotDeflate = errors.New("imapd: the client's stream is no DEFLATE")

var (
	inputs  = sync.Pool{New: func() any { return new([busyInput]byte) }}
	decoder = sync.Pool{New: func() any { return new(huffmanPair) }}
)

// inflater reads a client's DEFLATE stream (RFC 1951, RFC 4978). It gives all that can be decoded of what has come in before it
// waits for more, wherever the client cut its stream: zlib's Z_PARTIAL_FLUSH, which mbsync uses, ends within a byte, and the
// decoders of the usual libraries wait for the next block before they give out such a block's end. While it waits between two
// blocks it holds the window, as large as what the client sent, and nothing else.
type inflater struct {
	src    io.Reader
	err    error // what ended the stream
	failed error // src's, once

	parked [parkedBuffer]byte
	box    *[busyInput]byte // from inputs, while a block is being read
	in     []byte           // received and not taken: of parked or box, or what newInflater was given
	hold   uint64           // bits taken and not decoded, the next one lowest
	held   int              // how many

	window []byte // a ring of the last output; its length is a power of two
	total  int64  // bytes given out

	final   bool         // this is the last block
	stored  int          // bytes of a stored block to come
	codes   *huffmanPair // of the block being read; nil between blocks and in stored ones
	length  int          // bytes of a reference to give out
	dist    int          // how far back they are
	aligned bool         // the last block was an empty stored one, and so ended with a byte
}

// newInflater returns an inflater of src, of which received was read already.
func newInflater(src io.Reader, received []byte) *inflater {
	return &inflater{src: src, in: append([]byte(nil), received...)}
}

// Read returns decoded bytes. Errors are those of the connection, or errNotDeflate; io.EOF at the stream's end.
func (f *inflater) Read(p []byte) (int, error) {
	for {
		n := f.decode(p)
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		if f.err != nil {
			return 0, f.err
		}
		if err := f.failed; err != nil {
			f.failed = nil
			return 0, err
		}
	}
}

// broken reports whether nothing more can be decoded for now.
func (f *inflater) broken() bool { return f.err != nil || f.failed != nil }

// decode gives what can be had without waiting, or else waits for input once, or reads a block's header.
func (f *inflater) decode(p []byte) (n int) {
	for n < len(p) && !f.broken() {
		switch {
		case f.length > 0:
			n += f.copyBack(p[n:])
		case f.stored > 0:
			got := f.takeStored(p[n:])
			if n += got; got == 0 {
				return f.starved(n)
			}
		case f.codes != nil:
			got, ok := f.literals(p[n:])
			if n += got; !ok {
				return f.starved(n)
			}
		case n > 0:
			return n // a header may have to wait
		case f.final:
			f.err = io.EOF
		default:
			f.header()
			return 0
		}
	}
	return n
}

// starved waits for input if nothing can be given out.
func (f *inflater) starved(n int) int {
	if n == 0 && !f.broken() {
		f.fill()
	}
	return n
}

// fill waits for input when all is taken.
func (f *inflater) fill() {
	buf := f.parked[:]
	if f.codes != nil || f.stored > 0 {
		if f.box == nil {
			f.box = inputs.Get().(*[busyInput]byte)
		}
		buf = f.box[:]
	}
	for range 100 {
		n, err := f.src.Read(buf)
		if f.in = buf[:n]; n > 0 {
			return // an error comes again
		}
		if err != nil {
			if err == io.EOF { //nolint:errorlint // io.Reader's io.EOF is never wrapped
				err = io.ErrUnexpectedEOF
			}
			f.failed = err
			return
		}
	}
	f.failed = io.ErrNoProgress
}

// refill takes bytes into hold as far as they have come.
func (f *inflater) refill() {
	for f.held <= 56 && len(f.in) > 0 {
		f.hold |= uint64(f.in[0]) << f.held
		f.held += 8
		f.in = f.in[1:]
	}
}

// need takes n bits, and waits for them.
func (f *inflater) need(n int) uint32 {
	for f.held < n && !f.broken() {
		if f.refill(); f.held < n {
			f.fill()
		}
	}
	if f.broken() {
		return 0
	}
	v := uint32(f.hold & (1<<n - 1))
	f.drop(n)
	return v
}

func (f *inflater) drop(n int) {
	f.hold >>= n
	f.held -= n
}

// header reads what is before a block's data (RFC 1951 section 3.2.3).
func (f *inflater) header() {
	first := f.need(3)
	if f.broken() {
		return
	}
	f.aligned = false
	f.final = first&1 != 0
	switch first >> 1 {
	case 0:
		f.drop(f.held % 8)
		size, complement := f.need(16), f.need(16)
		switch {
		case f.broken():
		case size != complement^0xffff:
			f.err = errNotDeflate
		default:
			f.stored, f.aligned = int(size), size == 0
		}
	case 1:
		f.codes = decoder.Get().(*huffmanPair)
		f.codes.fixed()
	case 2:
		f.codes = decoder.Get().(*huffmanPair)
		if !f.codes.read(f) && !f.broken() {
			f.err = errNotDeflate
		}
	default:
		f.err = errNotDeflate
	}
	if f.failed != nil { // within a header there is no way back
		f.err, f.failed = f.failed, nil
	}
	if f.err != nil || f.codes == nil && f.stored == 0 {
		f.blockEnds()
	}
}

// blockEnds gives back what is needed within blocks only.
func (f *inflater) blockEnds() {
	if f.codes != nil {
		decoder.Put(f.codes)
		f.codes = nil
	}
	if f.box != nil && len(f.in) <= len(f.parked) {
		f.in = f.parked[:copy(f.parked[:], f.in)]
		inputs.Put(f.box)
		f.box = nil
	}
}

// literals decodes bytes up to a reference or the block's end. ok is false when more must come in first.
func (f *inflater) literals(p []byte) (n int, ok bool) {
	var c int
	for ok = true; n < len(p); n++ {
		if c, ok = f.symbol(); !ok || c < 0 {
			break
		}
		p[n] = byte(c)
	}
	f.remember(p[:n])
	if f.length > 0 && int64(f.dist) > f.total {
		f.err, f.length = errNotDeflate, 0
	}
	return n, ok
}

// symbol decodes a literal byte; -1 is what is none: a reference, which copyBack gives out, or the block's end. ok is false when
// the symbol has not come in wholly; then nothing of it was taken.
func (f *inflater) symbol() (c int, ok bool) {
	f.refill()
	hold, left := f.hold, f.held
	take := func(n int) int {
		v := int(hold & (1<<n - 1))
		hold >>= n
		left -= n
		return v
	}
	s, n := f.codes.literals.decode(hold)
	if n == 0 && left >= maxCode {
		f.err = errNotDeflate
		return 0, false
	}
	if n == 0 || n > left {
		return 0, false
	}
	take(n)
	switch {
	case s < 256:
		f.hold, f.held = hold, left
		return s, true
	case s == 256:
		f.hold, f.held = hold, left
		f.blockEnds()
		return -1, true
	case s-257 >= len(lengthBase):
		f.err = errNotDeflate
		return 0, false
	}
	length := int(lengthBase[s-257])
	if left < int(lengthExtra[s-257]) {
		return 0, false
	}
	length += take(int(lengthExtra[s-257]))
	if s, n = f.codes.distances.decode(hold); n == 0 && left >= maxCode || n != 0 && s >= len(distBase) {
		f.err = errNotDeflate
		return 0, false
	}
	if n == 0 || n+int(distExtra[s]) > left {
		return 0, false
	}
	take(n)
	dist := int(distBase[s]) + take(int(distExtra[s]))
	f.hold, f.held = hold, left
	f.length, f.dist = length, dist
	return -1, true
}

func (f *inflater) takeStored(p []byte) (n int) {
	p = p[:min(len(p), f.stored)]
	for n < len(p) && f.held >= 8 {
		p[n] = byte(f.hold)
		f.drop(8)
		n++
	}
	m := copy(p[n:], f.in)
	f.in = f.in[m:]
	n += m
	f.remember(p[:n])
	if f.stored -= n; f.stored == 0 {
		f.blockEnds()
	}
	return n
}

// copyBack gives out a reference. It may overlap what it gives (RFC 1951 section 3.2.3).
func (f *inflater) copyBack(p []byte) int {
	n := min(len(p), f.length, f.dist)
	from := int(f.total) - f.dist
	mask := len(f.window) - 1
	for i := range n {
		p[i] = f.window[(from+i)&mask]
	}
	f.remember(p[:n])
	f.length -= n
	return n
}

// remember puts output into the window, which grows until it is as large as it may be.
func (f *inflater) remember(p []byte) {
	if want := int(min(f.total+int64(len(p)), maxWindow)); want > len(f.window) {
		f.grow(want)
	}
	mask := len(f.window) - 1
	f.total += int64(len(p))
	p = p[max(0, len(p)-len(f.window)):]
	at := int(f.total-int64(len(p))) & mask
	copy(f.window, p[copy(f.window[at:], p):])
}

func (f *inflater) grow(want int) {
	old := f.window
	f.window = make([]byte, max(512, 1<<bits.Len(uint(want-1))))
	have := int(min(f.total, int64(len(old))))
	for i := int(f.total) - have; i < int(f.total); i++ {
		f.window[i&(len(f.window)-1)] = old[i&(len(old)-1)]
	}
}

// finish ends the stream at the flush behind what was read last, which ends with a byte, and returns what has come in behind it.
func (f *inflater) finish() (rest []byte, err error) {
	var dropped [64]byte
	for !f.broken() && !(f.aligned && f.codes == nil && f.stored == 0 && f.length == 0) {
		f.decode(dropped[:])
	}
	if err = errors.Join(f.err, f.failed); f.err == io.EOF { //nolint:errorlint // our own io.EOF
		err = nil
	}
	f.drop(f.held % 8)
	for ; f.held > 0; f.drop(8) {
		rest = append(rest, byte(f.hold))
	}
	rest = append(rest, f.in...)
	f.in, f.window = nil, nil
	f.blockEnds()
	f.err = io.EOF
	return rest, err
}
