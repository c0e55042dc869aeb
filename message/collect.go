package message

import "bytes"

// collector gathers the fields of one header that have a use, as they stand, one behind the other.
type collector struct {
	use   fieldUse
	buf   []byte
	ends  []int // where each field ends in buf
	lines int   // lines taken, those of other fields included
	cut   bool  // a field with a use was cut or left out

	open    bool // a field is being collected: it begins at start
	start   int
	nameLen int
	full    bool // it exceeds a bound
}

// reset begins a header whose fields with one of the uses are wanted.
func (c *collector) reset(use fieldUse) {
	*c = collector{use: use, buf: c.buf[:0], ends: c.ends[:0]}
}

// begin takes the first line of a field with a name of nameLen bytes, or a line that is no field when that is 0.
func (c *collector) begin(b []byte, nameLen int) {
	c.finish()
	c.lines++
	if nameLen == 0 || lookupField(b[:nameLen]).use&c.use == 0 {
		return
	}
	if len(c.buf)+nameLen+len(" :\r\n") > maxHeader {
		c.cut = true
		return
	}
	c.open, c.full = true, false
	c.start, c.nameLen = len(c.buf), nameLen
	c.add(b)
}

// fold takes a continuation line.
func (c *collector) fold(b []byte) {
	c.lines++
	if c.open {
		c.add(b)
	}
}

func (c *collector) add(b []byte) {
	if c.full {
		return
	}
	room := min(maxField-(len(c.buf)-c.start), maxHeader-len(c.buf))
	if len(b) > room || len(b) == maxLine && b[len(b)-1] != '\n' {
		b = b[:min(room, len(b))]
		c.full = true
	}
	c.buf = append(c.buf, b...)
}

// finish ends the field at hand. One that was too long ends behind its last comma or white space, so that no address and
// no word is cut in two.
func (c *collector) finish() {
	if !c.open {
		return
	}
	c.open = false
	if c.full {
		c.cut = true
		value := c.start + c.nameLen
		for value < len(c.buf)-1 && c.buf[value] != ':' {
			value++
		}
		value++
		n := bytes.LastIndexByte(c.buf[value:], ',')
		if n < 0 {
			n = bytes.LastIndexAny(c.buf[value:], " \t\n")
		}
		c.buf = append(c.buf[:value+max(n, 0)], '\r', '\n')
	}
	c.ends = append(c.ends, len(c.buf))
}

// header is those fields of a header that are interpreted.
type header []headerField

type headerField struct {
	id    fieldID
	value string // raw, folding and line end included
}

// splitHeader returns the interpreted ones of fields that stand in text one behind the other and end at ends.
func splitHeader(text string, ends []int) header {
	h := make(header, 0, len(ends))
	start := 0
	for _, end := range ends {
		h = h.appendField(text[start:end])
		start = end
	}
	return h
}

func (h header) appendField(raw string) header {
	value := fieldValue(raw)
	name := raw[:max(len(raw)-len(value)-1, 0)]
	if info := lookupField(trimSpace(name)); info.id != otherField {
		h = append(h, headerField{info.id, value})
	}
	return h
}

// first returns the value of the first field with the id.
func (h header) first(id fieldID) (string, bool) {
	for _, f := range h {
		if f.id == id {
			return f.value, true
		}
	}
	return "", false
}

// appendFields appends fields that stand in raw, and in text as a string, one behind the other and end at ends.
func appendFields(fields []Field, raw []byte, text string, ends []int) []Field {
	start := 0
	for _, end := range ends {
		value := fieldValue(text[start:end])
		name := trimSpace(text[start:max(end-len(value)-1, start)])
		fields = append(fields, Field{Name: name, Raw: raw[start:end:end]})
		start = end
	}
	return fields
}
