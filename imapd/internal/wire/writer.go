package wire

import (
	"io"
	"time"
)

// Writer builds responses in one bounded buffer and sends it when it is full or on Flush. Errors of the connection stick
// and are returned by Flush; the other methods need no check. It is used by one goroutine at a time.
type Writer struct{}

// NewWriter returns a Writer on w with a buffer of size bytes (taken from a pool when used, given back by Flush).
func NewWriter(w io.Writer, size int) *Writer { panic("stub") }

// Raw writes bytes as they are: atoms, punctuation, "* 1 FETCH (".
func (w *Writer) Raw(s string) *Writer { panic("stub") }

// RawBytes is Raw for bytes.
func (w *Writer) RawBytes(b []byte) *Writer { panic("stub") }

// SP writes a space.
func (w *Writer) SP() *Writer { panic("stub") }

// CRLF ends a line.
func (w *Writer) CRLF() *Writer { panic("stub") }

// Number writes a number in decimal.
func (w *Writer) Number(n uint64) *Writer { panic("stub") }

// String writes s as a quoted string if it may be one, otherwise as a literal (8-bit, CR, LF, over-long); NUL bytes, which no literal
// may hold, are left out.
func (w *Writer) String(s string) *Writer { panic("stub") }

// NString writes String, or NIL for nil.
func (w *Writer) NString(s *string) *Writer { panic("stub") }

// Mailbox writes a mailbox name given in UTF-8 as modified UTF-7 astring (or UTF-8 once UTF8(true) was called).
func (w *Writer) Mailbox(name string) *Writer { panic("stub") }

// UTF8 switches quoted UTF-8 and UTF-8 mailbox names on (ENABLE UTF8=ACCEPT or IMAP4rev2).
func (w *Writer) UTF8(on bool) { panic("stub") }

// Literal writes "{size}CRLF" and then exactly size bytes of r, never holding more than the buffer. When r ends early or
// fails, the connection cannot be used further: Err is set.
func (w *Writer) Literal(size int64, r io.Reader) error { panic("stub") }

// DateTime writes a quoted date-time.
func (w *Writer) DateTime(t time.Time) *Writer { panic("stub") }

// Buffered returns the bytes not yet sent.
func (w *Writer) Buffered() int { panic("stub") }

// Flush sends what is buffered.
func (w *Writer) Flush() error { panic("stub") }

// Err returns the first error of the connection.
func (w *Writer) Err() error { panic("stub") }
