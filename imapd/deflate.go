package imapd

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateWindow is how much of what was sent last the next piece may refer to. It is what a connection holds between pieces. With
// 2 KiB, responses and texts come out a tenth larger than with the common compressor's fastest level, which holds 480 KiB; more
// gains next to nothing.
const deflateWindow = 2 << 10

// storedBytes is up to how many bytes are sent as they are. Compressing takes some hundred KiB of stack or heap, however little there
// is to compress: ten thousand idle connections that are told "Still here" would take that each, to save a few bytes.
const storedBytes = 128

var outputs = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// deflater compresses what is written to it (RFC 4978), each Write as a whole and with a flush behind it: it is a buffer of the
// session's Writer, so up to 16 KiB.
type deflater struct {
	dst  io.Writer
	last []byte // what was written last, up to deflateWindow
}

func (d *deflater) Write(p []byte) (int, error) {
	out := outputs.Get().(*bytes.Buffer)
	defer outputs.Put(out)
	out.Reset()
	if len(p) <= storedBytes {
		writeStored(out, p)
	} else if err := flate.StatelessDeflate(out, p, false, d.last); err != nil {
		return 0, err
	}
	if n := len(p); n >= deflateWindow {
		d.last = append(d.last[:0], p[n-deflateWindow:]...)
	} else {
		d.last = append(d.last[:0], append(d.last[max(0, len(d.last)+n-deflateWindow):], p...)...)
	}
	if _, err := d.dst.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// writeStored writes a block that is not compressed (RFC 1951 section 3.2.4) to where the one before ended at a byte: they all do,
// by their flush. The empty block behind it is such a flush: some inflaters, Go's among them, give out what they have at nothing else.
func writeStored(out *bytes.Buffer, p []byte) {
	n := uint16(len(p))
	out.Write([]byte{0, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)})
	out.Write(p)
	out.WriteString("\x00\x00\x00\xff\xff")
}
