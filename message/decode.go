package message

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

var errCorrupt = errors.New("message: corrupt summary")

var decMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		MaxArrayElements: 1 << 22,
		MaxNestedLevels:  4,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// Decode reads the stored form of a structure and puts prefix, whole header lines, before the message: sizes, offsets,
// header lines and Fields are those of prefix followed by the stored bytes. The prefix must not hold fields that describe
// the body (Content-*). An unknown version is an error: scan again. Any other error means that summary is corrupt.
//
// The result refers neither to summary nor to prefix.
func Decode(summary []byte, prefix []byte) (*Structure, error) {
	var form stored
	if err := decMode.Unmarshal(summary, &form); err != nil {
		return nil, fmt.Errorf("message: corrupt summary: %w", err)
	}
	if form.Version != storedVersion {
		return nil, fmt.Errorf("message: summary of unknown version %d", form.Version)
	}
	d := decoder{numbers: form.Numbers, textLeft: len(form.Text)}
	size, flags := d.number(), d.number()
	raw := form.Text
	var ends []int
	if len(prefix) > 0 {
		c := collector{use: useKept}
		c.collect(prefix)
		raw, ends = append(c.buf, form.Text...), c.ends
	}
	prefixFields := len(ends)
	ends = d.fieldEnds(ends)
	if d.err != nil || flags&^knownFlags != 0 || size > math.MaxInt64-int64(len(prefix)) {
		return nil, errCorrupt
	}

	text := string(raw)
	s := &Structure{Size: size + int64(len(prefix)), incomplete: flags&flagIncomplete != 0}
	s.Fields = appendFields(make([]Field, 0, len(ends)), raw, text, ends)
	h, own := splitHeader(text, ends), 0
	for _, f := range s.Fields[:prefixFields] {
		if lookupField(f.Name).id != otherField {
			own++
		}
	}
	h.envelope(&s.Envelope)
	h[own:].describe(&s.Root, false)
	switch {
	case flags&flagPlain != 0:
		s.Root.plain()
	case flags&flagOpaque != 0:
		s.Root.opaque()
	}

	d.text = text[len(text)-d.textLeft:]
	d.message(s, int64(len(prefix)), flags)
	if flags&flagPreview != 0 {
		s.Preview = d.strings.pointer(d.take(d.number()))
	}
	if d.err != nil || len(d.numbers) > 0 || d.textLeft > 0 {
		return nil, errCorrupt
	}
	s.Root.HeaderOffset = 0
	s.Root.HeaderLines += int64(bytes.Count(prefix, lineFeed))
	return s, nil
}

// collect takes whole header lines.
func (c *collector) collect(lines []byte) {
	for l := range bytes.Lines(lines) {
		if l[0] == ' ' || l[0] == '\t' {
			c.fold(l)
		} else {
			c.begin(l, fieldNameLen(l))
		}
	}
	c.finish()
}

// decoder reads a stored form. After an error it yields zeros.
type decoder struct {
	numbers  []int64
	text     string // what is left of Text
	textLeft int    // its length
	parts    int
	err      error
	strings  stringArena
}

func (d *decoder) fail() { d.err, d.numbers = errCorrupt, nil }

// any returns the next number.
func (d *decoder) any() int64 {
	if len(d.numbers) == 0 {
		d.fail()
		return 0
	}
	n := d.numbers[0]
	d.numbers = d.numbers[1:]
	return n
}

// number returns the next number, which is not negative.
func (d *decoder) number() int64 { return d.atMost(math.MaxInt64) }

// atMost returns the next number, which is from 0 to limit.
func (d *decoder) atMost(limit int64) int64 {
	n := d.any()
	if n < 0 || n > limit {
		d.fail()
		return 0
	}
	return n
}

// count returns the next number, a number of items of which each takes at least size numbers.
func (d *decoder) count(size int) int { return int(d.atMost(int64(len(d.numbers) / size))) }

// fieldEnds reads the lengths of the kept fields and appends where each ends.
func (d *decoder) fieldEnds(ends []int) []int {
	n := d.count(1)
	ends = slices.Grow(ends, n)
	end := 0
	if len(ends) > 0 {
		end = ends[len(ends)-1]
	}
	for range n {
		length := int(d.atMost(int64(d.textLeft)))
		d.textLeft -= length
		end += length
		ends = append(ends, end)
	}
	return ends
}

func (d *decoder) take(length int64) string {
	if length > int64(d.textLeft) {
		d.fail()
		return ""
	}
	s := d.text[:length]
	d.text = d.text[length:]
	d.textLeft -= int(length)
	return s
}

func (d *decoder) string() string {
	n := d.any()
	if n >= 0 {
		return d.take(n)
	}
	if n < int64(-len(commonTokens)) {
		d.fail()
		return ""
	}
	return commonTokens[-1-n]
}

func (d *decoder) pointer() *string {
	n := d.number()
	if n == 0 {
		return nil
	}
	return d.strings.pointer(d.take(n - 1))
}

func (d *decoder) params() []Param {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	params := make([]Param, n)
	for i := range params {
		params[i] = Param{d.string(), d.string()}
	}
	return params
}

// message reads the parts of a message that stands behind a prefix of shift bytes.
func (d *decoder) message(s *Structure, shift, flags int64) {
	children := d.place(&s.Root, shift, s.Size)
	if flags&flagEnvelope != 0 {
		s.Root.Envelope = d.envelope()
	}
	d.children(&s.Root, children, 0)
}

// place reads where a part is and how many children it has. Its header begins at the offset from or later; it ends at the
// offset to or before.
func (d *decoder) place(p *Part, from, to int64) (children int) {
	if d.parts++; d.parts > maxParts {
		d.fail()
	}
	p.HeaderOffset = from + d.atMost(to-from)
	p.BodyOffset = p.HeaderOffset + d.atMost(to-p.HeaderOffset)
	p.End = p.BodyOffset + d.atMost(to-p.BodyOffset)
	p.HeaderLines = d.atMost(p.BodyOffset - p.HeaderOffset)
	p.Lines = d.atMost(p.End - p.BodyOffset)
	return d.count(6)
}

// children reads the children of a part at a depth, and checks that the part is what Part promises.
func (d *decoder) children(p *Part, n, depth int) {
	isMessage := p.isMessage()
	if (p.Type == "multipart") != (n > 0 && !isMessage) || isMessage != (p.Envelope != nil) || isMessage && n != 1 ||
		n > 0 && depth >= maxDepth {
		d.fail()
		return
	}
	if n == 0 {
		return
	}
	p.Children = make([]Part, n)
	from := p.BodyOffset
	for i := range p.Children {
		c := &p.Children[i]
		grandchildren := d.place(c, from, p.End)
		d.media(c)
		if d.err != nil {
			return
		}
		d.children(c, grandchildren, depth+1)
		from = c.End
	}
}

func (d *decoder) media(p *Part) {
	p.Type, p.Subtype, p.Encoding = d.string(), d.string(), d.string()
	p.Params = d.params()
	has := d.atMost(knownParts)
	if has&hasDisposition != 0 {
		p.Disposition = d.string()
		p.DispositionParams = d.params()
	}
	if has&hasID != 0 {
		p.ID = d.string()
	}
	if has&hasDescription != 0 {
		p.Description = d.string()
	}
	if has&hasMD5 != 0 {
		p.MD5 = d.string()
	}
	if has&hasLocation != 0 {
		p.Location = d.string()
	}
	if has&hasLanguage != 0 {
		p.Language = make([]string, d.count(1))
		for i := range p.Language {
			p.Language[i] = d.string()
		}
	}
	if has&hasEnvelope != 0 {
		p.Envelope = d.envelope()
	}
}

func (d *decoder) envelope() *Envelope {
	env := &Envelope{Date: d.pointer(), Subject: d.pointer(), InReplyTo: d.pointer(), MessageID: d.pointer()}
	for _, list := range [...]*[]Address{&env.From, &env.Sender, &env.ReplyTo, &env.To, &env.Cc, &env.Bcc} {
		if n := d.count(4); n > 0 {
			*list = make([]Address, n)
			for i := range *list {
				(*list)[i] = Address{Name: d.pointer(), Route: d.pointer(), Mailbox: d.pointer(), Host: d.pointer()}
			}
		}
	}
	env.setDefaults()
	return env
}
