package message

import (
	"io"
	"strings"
)

// DecodeTransfer returns a reader of r without its Content-Transfer-Encoding ("base64", "quoted-printable"; anything else
// unchanged); broken encodings yield what can be read. An error of r comes after what was read before it.
func DecodeTransfer(r io.Reader, encoding string) io.Reader {
	if t := NewTransferReader(r, encoding); t != nil {
		return t
	}
	return r
}

// NewTransferReader is DecodeTransfer for the encodings that change something; nil for any other.
func NewTransferReader(r io.Reader, encoding string) *TransferReader {
	switch strings.ToLower(trimSpace(encoding)) {
	case "base64":
		return &TransferReader{r: r, decoder: new(base64Decoder)}
	case "quoted-printable":
		return &TransferReader{r: r, decoder: new(qpDecoder)}
	}
	return nil
}

// transferDecoder decodes a stream piece by piece.
type transferDecoder interface {
	// decode appends to dst what src, the next piece, stands for. last says that nothing follows. at is a place where a
	// decoder that knows nothing of what came before could go on; it may be without any, then at.decoded is negative.
	decode(dst, src []byte, last bool) (out []byte, at resumption)
}

// resumption is a place in what decode was given: bytes of src, and of the whole of dst then.
type resumption struct{ encoded, decoded int }

var nowhere = resumption{decoded: -1}

// TransferReader decodes a Content-Transfer-Encoding as DecodeTransfer says.
type TransferReader struct {
	r       io.Reader
	decoder transferDecoder
	in      [4096]byte
	buf     []byte // decoded, out of it not delivered
	out     []byte
	err     error

	read, decoded       int64 // bytes taken from r, and what they stand for
	resume, resumeAhead struct{ encoded, decoded int64 }
}

// Read implements io.Reader.
func (t *TransferReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(t.out) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.resume = t.resumeAhead
		var n int
		n, t.err = t.r.Read(t.in[:])
		var at resumption
		t.buf, at = t.decoder.decode(t.buf[:0], t.in[:n], t.err != nil)
		if at.decoded >= 0 {
			t.resumeAhead.encoded, t.resumeAhead.decoded = t.read+int64(at.encoded), t.decoded+int64(at.decoded)
		}
		t.read += int64(n)
		t.decoded += int64(len(t.buf))
		t.out = t.buf
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}

// Resume returns a place not behind what was delivered, and mostly close before it, at which a new TransferReader may begin
// with the rest of the encoded bytes and yields the rest of the decoded ones.
func (t *TransferReader) Resume() (encoded, decoded int64) { return t.resume.encoded, t.resume.decoded }

// base64Values has the value of each base64 digit, the URL alphabet's included, and 64 for other bytes.
var base64Values = func() (v [256]byte) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range v {
		v[i] = 64
	}
	for i := range len(digits) {
		v[digits[i]] = byte(i)
	}
	return v
}()

// base64Decoder ignores what is no digit. Padding ends a quantum and not the data: some senders join encoded pieces.
type base64Decoder struct {
	bits  uint32
	count int // digits in bits
}

func (d *base64Decoder) decode(dst, src []byte, last bool) ([]byte, resumption) {
	from, at := len(dst), nowhere
	for i, c := range src {
		v := base64Values[c]
		if v < 64 {
			d.bits = d.bits<<6 | uint32(v)
			if d.count++; d.count == 4 {
				dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
				d.bits, d.count = 0, 0
				at = resumption{i + 1, len(dst) - from}
			}
		} else if c == '=' {
			dst = d.flush(dst)
		}
	}
	if last {
		dst = d.flush(dst)
	}
	return dst, at
}

// flush writes the octets of an unfinished quantum.
func (d *base64Decoder) flush(dst []byte) []byte {
	switch d.count {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.count = 0, 0
	return dst
}

// qpDecoder decodes quoted-printable (RFC 2045 section 6.7). White space at the end of a line goes, an equals sign that
// begins no octet and no soft line break stays.
type qpDecoder struct {
	held []byte // white space, or an equals sign and what follows it, whose meaning the next bytes tell
}

// maxHeldSpace is how much white space is held to see whether it ends a line; beyond it, it is text.
const maxHeldSpace = 1024

func (d *qpDecoder) decode(dst, src []byte, last bool) ([]byte, resumption) {
	from, at := len(dst), nowhere
	for i, c := range src {
		dst = d.next(dst, c)
		if len(d.held) == 0 {
			at = resumption{i + 1, len(dst) - from}
		}
	}
	if last {
		if len(d.held) > 0 && d.held[0] == '=' && strings.TrimRight(string(d.held[1:]), " \t\r") != "" {
			dst = append(dst, d.held...)
		}
		d.held = d.held[:0]
	}
	return dst, at
}

func (d *qpDecoder) next(dst []byte, c byte) []byte {
	if len(d.held) == 0 {
		if c == '=' || c == ' ' || c == '\t' {
			d.held = append(d.held, c)
			return dst
		}
		return append(dst, c)
	}
	if d.held[0] != '=' {
		switch c {
		case ' ', '\t', '\r':
			if len(d.held) < maxHeldSpace {
				d.held = append(d.held, c)
				return dst
			}
		case '\n':
			if d.held[len(d.held)-1] == '\r' {
				dst = append(dst, '\r')
			}
			d.held = d.held[:0]
			return append(dst, c)
		}
		return d.again(append(dst, d.held...), c)
	}
	switch first := len(d.held) == 1; {
	case first && unhex(c) < 16:
		d.held = append(d.held, c)
		return dst
	case !first && unhex(d.held[1]) < 16:
		if unhex(c) < 16 {
			dst = append(dst, unhex(d.held[1])<<4|unhex(c))
			d.held = d.held[:0]
			return dst
		}
	case c == '\n': // a soft line break
		d.held = d.held[:0]
		return dst
	case (c == ' ' || c == '\t' || c == '\r') && len(d.held) < maxHeldSpace:
		d.held = append(d.held, c)
		return dst
	}
	return d.again(append(dst, d.held...), c)
}

// again takes c with nothing held.
func (d *qpDecoder) again(dst []byte, c byte) []byte {
	d.held = d.held[:0]
	return d.next(dst, c)
}
