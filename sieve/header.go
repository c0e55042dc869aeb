package sieve

import (
	"bytes"
	"io"

	"github.com/rookery-mail/rookery/message"
)

// headerField is a field of a header, or lines that are none, as they stand in the message.
type headerField struct {
	name  string // lower case; "" for lines that are no field
	raw   []byte // with name, folding and line end
	added bool   // by the script
	// offset is where raw stands in the message, unless it was added.
	offset int64

	parsed   bool
	unfolded string // the value, see message.Field
	decoded  string // the same in UTF-8
}

// value returns the field's value in UTF-8, on one line, without white space around it.
func (f *headerField) value() string {
	f.parse()
	return f.decoded
}

// structured returns the field's value on one line with RFC 2047 words as they are, for parsing addresses.
func (f *headerField) structured() string {
	f.parse()
	return f.unfolded
}

func (f *headerField) parse() {
	if !f.parsed {
		f.unfolded = message.Field{Raw: f.raw}.Value()
		f.decoded = message.DecodeHeader(f.unfolded)
		f.parsed = true
	}
}

// header is a header with its fields in order.
type header struct {
	fields []headerField
	end    int64 // offset behind the last field: of the empty line, if there is one
	body   int64 // offset of the body; 0 when cut
	cut    bool  // the header is longer than what was read
}

// maxFields is how many fields of a header are looked at; the others are as if behind Limits.HeaderBytes.
const maxFields = 10_000

// parseHeader reads fields from raw, which stands at offset. whole says that raw ends where the message or the part's header
// does.
func parseHeader(raw []byte, offset int64, whole bool) *header {
	h := &header{cut: true}
	i := 0
	for i < len(raw) && len(h.fields) < maxFields {
		end, ok := lineEnd(raw, i)
		if !ok && !whole {
			break
		}
		if isEmptyLine(raw[i:end]) {
			h.cut = false
			h.body = offset + int64(end)
			break
		}
		name := fieldName(raw[i:end])
		for end < len(raw) && (raw[end] == ' ' || raw[end] == '\t') {
			end, _ = lineEnd(raw, end)
		}
		if end >= len(raw) && !whole {
			break // the next line may belong to this field
		}
		h.fields = append(h.fields, headerField{name: name, raw: raw[i:end:end], offset: offset + int64(i)})
		i = end
	}
	if i >= len(raw) && whole {
		h.cut = false
		h.body = offset + int64(len(raw))
	}
	h.end = offset + int64(i)
	return h
}

// lineEnd returns where the line that begins at i ends, its LF included.
func lineEnd(raw []byte, i int) (end int, complete bool) {
	if n := bytes.IndexByte(raw[i:], '\n'); n >= 0 {
		return i + n + 1, true
	}
	return len(raw), false
}

func isEmptyLine(line []byte) bool {
	return len(line) == 1 && line[0] == '\n' || len(line) == 2 && line[0] == '\r' && line[1] == '\n'
}

// fieldName returns the name a header line begins with in lower case, "" when the line is no field.
func fieldName(line []byte) string {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return ""
	}
	name := bytes.TrimRight(line[:colon], " \t")
	for _, c := range name {
		if c <= ' ' || c == 0x7f {
			return ""
		}
	}
	return asciiLower(string(name))
}

// readHeader reads the header that begins at from and ends before to, of a message's part or of a message.
func (vm *machine) readHeader(src io.ReaderAt, from, to int64) (*header, error) {
	limit := min(to, from+int64(vm.limits.HeaderBytes))
	var raw []byte
	for size := int64(8 << 10); ; size *= 4 {
		n := min(size, limit-from)
		buf := make([]byte, n)
		copied := copy(buf, raw)
		if _, err := io.ReadFull(io.NewSectionReader(src, from+int64(copied), n-int64(copied)), buf[copied:]); err != nil && n > int64(copied) {
			return nil, hostError("read", err)
		}
		raw = buf
		h := parseHeader(raw, from, from+n == to)
		if !h.cut || from+n == limit || len(h.fields) == maxFields {
			return h, nil
		}
	}
}

// named calls f for every field of a name (lower case), until f returns false.
func (h *header) named(name string, f func(*headerField) bool) {
	for i := range h.fields {
		if h.fields[i].name == name && !f(&h.fields[i]) {
			return
		}
	}
}

// first returns the value of the first field of a name, "" when there is none.
func (h *header) first(name string) string {
	var out string
	h.named(name, func(f *headerField) bool { out = f.structured(); return false })
	return out
}

// has reports whether there is a field of a name.
func (h *header) has(name string) bool {
	found := false
	h.named(name, func(*headerField) bool { found = true; return false })
	return found
}
