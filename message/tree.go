package message

import "bytes"

// tree is the parts found so far. Parts are numbered in the order of their headers, which is the order in which a walk
// meets a parent before its children.
type tree struct {
	nodes    []node
	stack    []int          // numbers of the open parts, the message first
	innerOf  map[string]int // boundary to stack position of the innermost open multipart that has it
	nested   int            // bytes of header fields kept of all parts but the message
	envelope Envelope
	fields   []Field
	cut      bool
}

type node struct {
	part     Part // without Children
	children int
	boundary string // of a multipart whose closing delimiter was not met yet
	outer    int    // stack position that innerOf had for the boundary, -1 for none
	digest   bool   // multipart/digest
	lf       int64  // LFs before the body, before the header while that is open
}

// delimiter is a match of a line with the boundary of the open multipart at a stack position.
type delimiter struct {
	position int
	closing  bool
}

// place is where parts end at a delimiter line: at end with lf LFs before it, or, when a part begins behind that, at the
// start of the delimiter line with lfStart LFs before it.
type place struct {
	end, lf        int64
	start, lfStart int64
}

func (p *place) notBefore(offset int64) {
	if p.end < offset {
		p.end, p.lf = p.start, p.lfStart
	}
}

func (t *tree) depth() int       { return len(t.stack) - 1 }
func (t *tree) innermost() *Part { return &t.nodes[t.stack[len(t.stack)-1]].part }
func (t *tree) delimited() bool  { return len(t.innerOf) > 0 && len(t.nodes) < maxParts }

// open begins a part inside the innermost open one: its header begins at offset with lf LFs before it.
func (t *tree) open(offset, lf int64) {
	if len(t.stack) > 0 {
		t.nodes[t.stack[len(t.stack)-1]].children++
	}
	t.stack = append(t.stack, len(t.nodes))
	t.nodes = append(t.nodes, node{part: Part{HeaderOffset: offset}, lf: lf})
}

// match looks whether a line is a delimiter of an open multipart. RFC 2046 section 5.1.1: "--", the boundary, "--" when it
// is the last one, and white space. The whole line must match, so that a boundary may be the beginning of another.
func (t *tree) match(b []byte) (delimiter, bool) {
	if len(b) < 3 || b[0] != '-' || b[1] != '-' || !t.delimited() || len(b) > maxDelimiter {
		return delimiter{}, false
	}
	b = bytes.TrimRight(b[2:], " \t\r\n")
	if position, ok := t.innerOf[string(b)]; ok {
		return delimiter{position: position}, true
	}
	if b, ok := bytes.CutSuffix(b, lineDashDash[1:]); ok {
		if position, ok := t.innerOf[string(b)]; ok {
			return delimiter{position: position, closing: true}, true
		}
	}
	return delimiter{}, false
}

// endHeader ends the header of the innermost part at the offset end with lf LFs before it. It returns the uses of the
// fields of the header that begins there, 0 when a body does.
func (t *tree) endHeader(c *collector, end, lf int64) fieldUse {
	at := len(t.stack) - 1
	n := &t.nodes[t.stack[at]]
	p := &n.part
	p.BodyOffset = end
	p.HeaderLines = lf - n.lf
	n.lf = lf

	c.finish()
	text := string(c.buf)
	h := splitHeader(text, c.ends)
	var parent *node
	if at > 0 {
		parent = &t.nodes[t.stack[at-1]]
		t.nested += len(text)
	}
	h.describe(p, parent != nil && parent.digest)
	boundary := p.boundary()
	switch {
	case at == 0:
		t.fields = appendFields(make([]Field, 0, len(c.ends)), c.buf, text, c.ends)
		t.cut = c.cut
		c.buf, c.ends = nil, nil
		h.envelope(&t.envelope)
	case t.nested > maxNested:
		p.dropDetails()
	case parent.part.Envelope != nil:
		h.envelope(parent.part.Envelope)
	}

	descend := at < maxDepth && len(t.nodes) < maxParts
	switch {
	case p.Type == "multipart":
		if !descend {
			p.opaque()
			break
		}
		if boundary == "" {
			p.plain()
			break
		}
		n.digest = p.Subtype == "digest"
		t.expect(boundary, n)
	case p.isMessage():
		if !descend || encoded(p.Encoding) {
			p.opaque()
			break
		}
		p.Envelope = new(Envelope)
		t.open(end, lf)
		return useMIME | useEnvelope
	}
	return 0
}

// expect makes the boundary of the innermost part known to match.
func (t *tree) expect(boundary string, n *node) {
	if t.innerOf == nil {
		t.innerOf = make(map[string]int)
	}
	n.boundary, n.outer = boundary, -1
	if outer, ok := t.innerOf[boundary]; ok {
		n.outer = outer
	}
	t.innerOf[boundary] = len(t.stack) - 1
}

// forget is the reverse of expect.
func (t *tree) forget(n *node) {
	if n.boundary == "" {
		return
	}
	if n.outer < 0 {
		delete(t.innerOf, n.boundary)
	} else {
		t.innerOf[n.boundary] = n.outer
	}
	n.boundary = ""
}

// closeAt closes what a delimiter ends: all parts inside its multipart, and the multipart to further parts when it is the
// closing one.
func (t *tree) closeAt(d delimiter, at place) {
	for len(t.stack)-1 > d.position {
		at.notBefore(t.innermost().BodyOffset)
		t.closeInnermost(at.end, at.lf)
	}
	if d.closing {
		t.forget(&t.nodes[t.stack[d.position]])
	}
}

// closeTo closes all parts down to a stack position at the offset end with lf LFs before it.
func (t *tree) closeTo(position int, end, lf int64) {
	for len(t.stack) > position {
		t.closeInnermost(end, lf)
	}
}

func (t *tree) closeInnermost(end, lf int64) {
	n := &t.nodes[t.stack[len(t.stack)-1]]
	t.forget(n)
	n.part.End = end
	n.part.Lines = lf - n.lf
	if n.part.Type == "multipart" && n.children == 0 {
		n.part.plain()
	}
	t.stack = t.stack[:len(t.stack)-1]
}
