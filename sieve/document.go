package sieve

import (
	"errors"
	"io"

	"github.com/rookery-mail/rookery/message"
)

// document is the message as the script sees and edits it. Nothing is read before a test needs it.
type document struct {
	vm   *machine
	base *Message // without the edits below

	top *header // of base, with the edits of editheader; nil until it is needed

	partHeaders int64 // bytes of the headers of parts that are held

	root        *part // of base, with the replacements made; nil until it is needed
	partsEdited bool

	// unenclosed is the message before it was enclosed: what redirect sends (RFC 5703 section 6). nil when it never was.
	unenclosed *Message

	composed *Message // base with all edits; nil when it must be built anew

	texts     map[textKey]string // of parts, see body.go
	textBytes int
}

// newDocument returns the document of a message.
func newDocument(vm *machine, base *Message) *document {
	return &document{vm: vm, base: base, composed: base}
}

// header returns the header of the message.
func (d *document) header() (*header, error) {
	if d.top == nil {
		h, err := d.vm.readHeader(d.base, 0, d.base.size)
		if err != nil {
			return nil, err
		}
		d.top = h
	}
	return d.top, nil
}

// part is a MIME part of the document.
type part struct {
	*message.Part
	src      io.ReaderAt // what the offsets of Part are into
	children []*part
	parent   *part
	changed  bool   // it or one below it has been replaced
	replaced bool   // it is a text of its own: src has nothing but it
	removed  bool   // one above it has been replaced
	size     int64  // of src, when replaced
	place    span64 // where it stood in the source of its parent
	fields   *header
}

// parts returns the tree of parts.
func (d *document) parts() (*part, error) {
	if d.root != nil {
		return d.root, nil
	}
	var structure *message.Structure
	if in := d.vm.in; !d.base.edited && in.Structure != nil && in.Structure.Size == d.base.size {
		structure = in.Structure
	} else {
		s := message.NewScanner()
		if _, err := io.Copy(s, d.vm.counted(d.base.Reader())); err != nil {
			return nil, d.readError(err)
		}
		structure = s.Close()
	}
	d.root = newPart(d.base, &structure.Root, nil)
	return d.root, nil
}

// span64 is a range of offsets.
type span64 struct{ from, to int64 }

func newPart(src io.ReaderAt, p *message.Part, parent *part) *part {
	out := &part{Part: p, src: src, parent: parent, place: span64{p.HeaderOffset, p.End}}
	for i := range p.Children {
		out.children = append(out.children, newPart(src, &p.Children[i], out))
	}
	return out
}

const (
	maxPartHeader  = 64 << 10 // bytes of a part's header that are looked at
	maxPartHeaders = 8 << 20  // and of all parts' headers: they are held until the run ends
)

// partHeader returns the header of a part.
func (d *document) partHeader(p *part) (*header, error) {
	if p == d.root && !p.replaced {
		return d.header()
	}
	if p.fields == nil {
		to := min(p.BodyOffset, p.HeaderOffset+maxPartHeader)
		if d.partHeaders += to - p.HeaderOffset; d.partHeaders > maxPartHeaders {
			return nil, d.readError(errBodyLimit)
		}
		d.vm.bodyBytes -= to - p.HeaderOffset
		h, err := d.vm.readHeader(p.src, p.HeaderOffset, to)
		if err != nil {
			return nil, err
		}
		p.fields = h
	}
	return p.fields, nil
}

// replace puts a MIME entity in the place of a part other than the root.
func (d *document) replace(p *part, entity []byte) {
	lit := literal(entity)
	scanned := message.Scan(entity)
	for _, child := range p.children {
		child.remove()
	}
	fresh := newPart(lit.src, &scanned.Root, p.parent)
	p.Part, p.src, p.children, p.size, p.replaced, p.fields = fresh.Part, fresh.src, fresh.children, lit.length, true, nil
	for _, child := range p.children {
		child.parent = p
	}
	for up := p; up != nil; up = up.parent {
		up.changed = true
	}
	d.partsEdited, d.composed = true, nil
	d.texts, d.textBytes = nil, 0
}

func (p *part) remove() {
	p.removed = true
	for _, child := range p.children {
		child.remove()
	}
}

// segments returns the bytes of a part as they are now.
func (p *part) segments(out []segment) []segment {
	if p.replaced {
		return p.between(out, 0, p.size)
	}
	return p.between(out, p.HeaderOffset, p.End)
}

// between returns the bytes of p from one offset to another, with the parts below as they are now.
func (p *part) between(out []segment, from, to int64) []segment {
	for _, child := range p.children {
		if !child.changed {
			continue
		}
		out = append(out, segment{p.src, from, child.place.from - from})
		out = child.segments(out)
		from = child.place.to
	}
	return append(out, segment{p.src, from, to - from})
}

// message returns the message with all edits made so far.
func (d *document) message() (*Message, error) {
	if d.composed != nil {
		return d.composed, nil
	}
	segments, err := d.headerSegments()
	if err != nil {
		return nil, err
	}
	body, err := d.bodySegments()
	if err != nil {
		return nil, err
	}
	d.composed = newMessage(d.flatten(append(segments, body...)), true)
	return d.composed, nil
}

// flatten replaces segments of base by the segments base is made of, so that edits of edits do not nest.
func (d *document) flatten(segments []segment) []segment {
	var out []segment
	for _, s := range segments {
		if s.src == io.ReaderAt(d.base) {
			out = append(out, d.base.slice(s.offset, s.offset+s.length)...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// headerSegments returns the fields of the message.
func (d *document) headerSegments() ([]segment, error) {
	h, err := d.header()
	if err != nil {
		return nil, err
	}
	var out []segment
	for i := range h.fields {
		f := &h.fields[i]
		if f.added {
			out = append(out, literal(f.raw))
			continue
		}
		if n := len(out); n > 0 && out[n-1].src == io.ReaderAt(d.base) && out[n-1].offset+out[n-1].length == f.offset {
			out[n-1].length += int64(len(f.raw))
			continue
		}
		out = append(out, segment{d.base, f.offset, int64(len(f.raw))})
	}
	return out, nil
}

// bodySegments returns what stands behind the fields: the empty line and the body.
func (d *document) bodySegments() ([]segment, error) {
	h, err := d.header()
	if err != nil {
		return nil, err
	}
	if !d.partsEdited {
		return []segment{{d.base, h.end, d.base.size - h.end}}, nil
	}
	return d.root.between(nil, h.end, d.base.size), nil
}

// rebase makes m the message that is edited from now on.
func (d *document) rebase(m *Message) {
	d.base, d.composed = m, m
	d.top, d.root, d.partsEdited = nil, nil, false
	d.texts, d.textBytes = nil, 0
}

// errBodyLimit is what a counted reader returns at the end of the budget.
var errBodyLimit = errors.New("sieve: too much of the message was read")

// counted returns a reader of r that takes what it reads off the budget for bodies.
func (vm *machine) counted(r io.Reader) io.Reader { return &countedReader{vm, r} }

type countedReader struct {
	vm *machine
	r  io.Reader
}

func (c *countedReader) Read(p []byte) (int, error) {
	if err := c.vm.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if c.vm.bodyBytes -= int64(n); c.vm.bodyBytes < 0 {
		return 0, errBodyLimit
	}
	return n, err
}

// readError says what a failed read means: the script's fault or trouble.
func (d *document) readError(err error) error {
	if errors.Is(err, errBodyLimit) {
		return d.vm.failf(d.vm.pos, "the script reads too much of the message")
	}
	return hostError("read", err)
}
