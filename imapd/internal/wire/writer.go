package wire

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// maxQuoted is the longest string written quoted; longer ones are literals, which clients with line limits can take.
const maxQuoted = 4096

// Writer builds responses in one bounded buffer and sends it when it is full or on Flush. Errors of the connection stick
// and are returned by Flush; the other methods need no check. It is used by one goroutine at a time.
type Writer struct {
	w    io.Writer
	size int
	box  *[]byte // from the pool, nil while nothing is buffered
	buf  []byte
	err  error
	utf8 bool
	lit  bool // in the middle of a literal
	pool *sync.Pool
}

var pools sync.Map // buffer size -> *sync.Pool of *[]byte

func poolOf(size int) *sync.Pool {
	if p, ok := pools.Load(size); ok {
		return p.(*sync.Pool)
	}
	p, _ := pools.LoadOrStore(size, &sync.Pool{New: func() any {
		b := make([]byte, 0, size)
		return &b
	}})
	return p.(*sync.Pool)
}

// NewWriter returns a Writer on w with a buffer of size bytes (taken from a pool when used, given back by Flush).
func NewWriter(w io.Writer, size int) *Writer {
	size = max(size, 256)
	return &Writer{w: w, size: size, pool: poolOf(size)}
}

// Redirect makes dst what the Writer writes to from now on. There is nothing buffered.
func (w *Writer) Redirect(dst io.Writer) { w.w = dst }

// room makes n bytes of the buffer free, n being much less than its size.
func (w *Writer) room(n int) {
	if w.box == nil {
		w.box = w.pool.Get().(*[]byte)
		w.buf = (*w.box)[:0]
	}
	if cap(w.buf)-len(w.buf) < n {
		w.send()
	}
}

// send writes out the buffer and keeps it.
func (w *Writer) send() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// Raw writes bytes as they are: atoms, punctuation, "* 1 FETCH (".
func (w *Writer) Raw(s string) *Writer {
	for {
		w.room(1)
		n := copy(w.buf[len(w.buf):cap(w.buf)], s)
		w.buf = w.buf[:len(w.buf)+n]
		if s = s[n:]; s == "" {
			return w
		}
	}
}

// RawBytes is Raw for bytes.
func (w *Writer) RawBytes(b []byte) *Writer {
	for {
		w.room(1)
		n := copy(w.buf[len(w.buf):cap(w.buf)], b)
		w.buf = w.buf[:len(w.buf)+n]
		if b = b[n:]; len(b) == 0 {
			return w
		}
	}
}

// Byte writes one byte as it is.
func (w *Writer) Byte(c byte) *Writer {
	w.room(1)
	w.buf = append(w.buf, c)
	return w
}

// SP writes a space.
func (w *Writer) SP() *Writer { return w.Byte(' ') }

// CRLF ends a line.
func (w *Writer) CRLF() *Writer { return w.Raw("\r\n") }

// Number writes a number in decimal.
func (w *Writer) Number(n uint64) *Writer {
	w.room(20)
	w.buf = strconv.AppendUint(w.buf, n, 10)
	return w
}

// String writes s as a quoted string if it may be one, otherwise as a literal (8-bit, CR, LF, over-long); NUL bytes, which no
// literal may hold, are left out.
func (w *Writer) String(s string) *Writer {
	special, nul, eightBit := false, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == 0:
			nul++
		case c == '\r' || c == '\n':
			special = true
		case c >= 0x80:
			eightBit = true
		}
	}
	if special || len(s) > maxQuoted || eightBit && !(w.utf8 && utf8.ValidString(s)) {
		w.Byte('{').Number(uint64(len(s) - nul)).Raw("}\r\n")
		if nul == 0 {
			return w.Raw(s)
		}
		for i := range len(s) {
			if s[i] != 0 {
				w.Byte(s[i])
			}
		}
		return w
	}
	w.Byte('"')
	for from := 0; ; {
		i := from
		for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] != 0 {
			i++
		}
		w.Raw(s[from:i])
		if i == len(s) {
			return w.Byte('"')
		}
		if s[i] != 0 {
			w.Byte('\\').Byte(s[i])
		}
		from = i + 1
	}
}

// NString writes String, or NIL for nil.
func (w *Writer) NString(s *string) *Writer {
	if s == nil {
		return w.Raw("NIL")
	}
	return w.String(*s)
}

// AString writes s as an atom if it may be one (and is not "NIL"), otherwise as String does.
func (w *Writer) AString(s string) *Writer {
	atom := s != "" && !(len(s) == 3 && upper(s[0]) == 'N' && upper(s[1]) == 'I' && upper(s[2]) == 'L')
	for i := 0; atom && i < len(s); i++ {
		atom = classes[s[i]]&classAtom != 0
	}
	if atom {
		return w.Raw(s)
	}
	return w.String(s)
}

// Mailbox writes a mailbox name given in UTF-8 as modified UTF-7 astring (or UTF-8 once UTF8(true) was called).
func (w *Writer) Mailbox(name string) *Writer {
	if w.utf8 {
		return w.AString(name)
	}
	return w.AString(EncodeUTF7(name))
}

// UTF8 switches quoted UTF-8 and UTF-8 mailbox names on (ENABLE UTF8=ACCEPT or IMAP4rev2).
func (w *Writer) UTF8(on bool) { w.utf8 = on }

// errShort marks a literal whose source ended before its announced size: what follows would be read as part of it.
var errShort = errors.New("wire: literal shorter than announced")

// Literal writes "{size}CRLF" and then exactly size bytes of r, never holding more than the buffer. When r ends early or
// fails, the connection cannot be used further: Err is set.
func (w *Writer) Literal(size int64, r io.Reader) error {
	w.Byte('{').Number(uint64(size)).Raw("}\r\n")
	w.lit = true
	err := w.copyExactly(size, r)
	w.lit = err != nil
	return err
}

// InLiteral reports whether a literal was begun and could not be ended: whatever is written now would be part of it.
func (w *Writer) InLiteral() bool { return w.lit }

// Literal8 is Literal as "~{size}", for bytes that may include NUL.
func (w *Writer) Literal8(size int64, r io.Reader) error {
	w.Byte('~')
	return w.Literal(size, r)
}

func (w *Writer) copyExactly(size int64, r io.Reader) error {
	for size > 0 && w.err == nil {
		w.room(1)
		free := w.buf[len(w.buf):cap(w.buf)]
		if int64(len(free)) > size {
			free = free[:size]
		}
		n, err := io.ReadFull(r, free)
		w.buf = w.buf[:len(w.buf)+n]
		size -= int64(n)
		if err != nil {
			w.send()
			if w.err == nil {
				if err == io.EOF || err == io.ErrUnexpectedEOF {
					err = errShort
				}
				w.err = err
			}
		}
	}
	return w.err
}

// DateTime writes a quoted date-time.
func (w *Writer) DateTime(t time.Time) *Writer {
	w.room(32)
	w.buf = t.AppendFormat(w.buf, `"_2-Jan-2006 15:04:05 -0700"`)
	return w
}

// Buffered returns the bytes not yet sent.
func (w *Writer) Buffered() int { return len(w.buf) }

// Flush sends what is buffered and gives the buffer back.
func (w *Writer) Flush() error {
	if w.box != nil {
		w.send()
		w.pool.Put(w.box)
		w.box, w.buf = nil, nil
	}
	return w.err
}

// Err returns the first error of the connection.
func (w *Writer) Err() error { return w.err }
