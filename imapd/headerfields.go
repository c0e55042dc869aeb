package imapd

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/message"
)

// fieldFilter says which fields of a header a section wants.
type fieldFilter struct {
	names []string
	set   map[string]struct{} // many names, in lower case: a header may have many fields, too
	not   bool                // all but names
}

// manyNames is how many names are compared one by one; more are looked up in a set.
const manyNames = 64

func newFieldFilter(s *imap.FetchItemBodySection) fieldFilter {
	f := fieldFilter{names: s.HeaderFields}
	if len(s.HeaderFieldsNot) > 0 {
		f = fieldFilter{names: s.HeaderFieldsNot, not: true}
	}
	if len(f.names) > manyNames {
		f.set = make(map[string]struct{}, len(f.names))
		for _, n := range f.names {
			f.set[string(appendLower(nil, n))] = struct{}{}
		}
	}
	return f
}

// wants reports whether the field is in the section. A line that is no field has no name.
func (f fieldFilter) wants(name []byte) bool {
	if f.set != nil {
		var short [64]byte
		_, found := f.set[string(appendLower(short[:0], name))]
		return found != f.not
	}
	for _, n := range f.names {
		if equalFold(n, name) {
			return !f.not
		}
	}
	return f.not
}

// equalFold compares field names, which are ASCII, without case.
func equalFold(a string, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

// appendLower appends a name in lower case.
func appendLower[T string | []byte](b []byte, name T) []byte {
	for i := range len(name) {
		b = append(b, lowerASCII(name[i]))
	}
	return b
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// fromSummary reports whether the fields the section wants are all in the summary of the message, so that its header need not
// be read.
func (f fieldFilter) fromSummary() bool {
	if f.not {
		return false
	}
	for _, n := range f.names {
		if !message.KeptField(n) {
			return false
		}
	}
	return true
}

// appendKept appends the section made from kept fields, the blank line included.
func (f fieldFilter) appendKept(b []byte, fields []message.Field) []byte {
	for i := range fields {
		if f.wants([]byte(fields[i].Name)) {
			b = append(b, fields[i].Raw...)
		}
	}
	return append(b, '\r', '\n')
}

// headerLine is the size of the buffer a header is read through; a field's name is looked for within so many bytes.
const headerLine = 16 << 10

// filterReader reads the wanted fields of a header, then the blank line. RFC 3501 section 7.4.2: the blank line is always
// part of header data.
type filterReader struct {
	src     *bufio.Reader
	filter  fieldFilter
	inLine  bool // the next chunk continues a line
	keep    bool // the current field is wanted
	pending []byte
	done    bool
}

func newFilterReader(header io.Reader, filter fieldFilter) *filterReader {
	return &filterReader{src: bufio.NewReaderSize(header, headerLine), filter: filter}
}

func (f *filterReader) Read(p []byte) (int, error) {
	for len(f.pending) == 0 {
		if f.done {
			return 0, io.EOF
		}
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.pending)
	f.pending = f.pending[n:]
	return n, nil
}

// next makes the next wanted chunk pending: a line, or a piece of a long one.
func (f *filterReader) next() error {
	for {
		chunk, err := f.src.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		if !f.inLine && isBlankLine(chunk) {
			f.pending, f.done = crlf, true
			return nil
		}
		if !f.inLine && chunk[0] != ' ' && chunk[0] != '\t' {
			f.keep = f.filter.wants(fieldName(chunk))
		}
		f.inLine = errors.Is(err, bufio.ErrBufferFull)
		if f.keep {
			f.pending = chunk
			return nil
		}
	}
}

var crlf = []byte("\r\n")

// isBlankLine reports whether a line ends a header; the end of the input does too.
func isBlankLine(line []byte) bool {
	return len(line) == 0 || line[0] == '\n' || len(line) == 2 && line[0] == '\r' && line[1] == '\n'
}

// fieldName returns the name a header line begins with, nil for a line that is no field. White space before the colon is
// obsolete syntax (RFC 5322 section 4.5).
func fieldName(line []byte) []byte {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return nil
	}
	name := bytes.TrimRight(line[:i], " \t")
	for _, c := range name {
		if c <= ' ' || c == 0x7f {
			return nil
		}
	}
	return name
}
