package sieve

import (
	"io"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// bodyKind says what the body test looks at (RFC 5173 section 5).
type bodyKind uint8

const (
	bodyText    bodyKind = iota // the text of every text part
	bodyContent                 // parts of some types, without their transfer encoding
	bodyRaw                     // the body as it stands
)

// textKey names a text of a part in document.texts.
type textKey struct {
	part *part
	kind bodyKind
}

// maxTexts is how many bytes of texts a document keeps for the next test.
const maxTexts = 4 << 20

func init() {
	testSpecs["body"] = &spec{
		ext: extBody, args: []argKind{argList},
		tags: tags(comparatorTags, matchTags, []tagSpec{
			{name: "raw", group: "body"}, {name: "content", arg: argList, group: "body"}, {name: "text", group: "body"},
		}),
		usage: `body [:raw / :content <types> / :text] [:is / :contains / :matches] <keys>`,
		test: func(c *compiler, b *bound) test {
			out := &bodyTest{match: c.matcher(b, b.pos[0])}
			out.match.noCapture = true // RFC 5173 section 6
			switch kind, _ := b.group("body"); kind {
			case "raw":
				out.kind = bodyRaw
			case "content":
				out.kind = bodyContent
				out.types = c.texts(b.tags["content"].value)
			}
			return out
		},
	}
}

type bodyTest struct {
	kind  bodyKind
	types []text
	match *matcher
}

func (t *bodyTest) eval(vm *machine) (bool, error) {
	if t.kind == bodyRaw {
		s, err := vm.rawBody()
		if err != nil {
			return false, err
		}
		return t.match.any(vm, []string{s})
	}
	root, err := vm.viewRoot()
	if err != nil {
		return false, err
	}
	types := getAll(vm, t.types)
	count, found := 0, false
	err = root.walk(func(p *part) error {
		if err := vm.charge(1 + len(types)); err != nil {
			return err
		}
		if t.kind == bodyText && !p.IsText() || t.kind == bodyContent && !wantedType(p, types) {
			return nil
		}
		count++
		if t.match.kind == matchCount {
			return nil
		}
		for _, s := range t.texts(vm, p, &err) {
			ok, err := t.match.any(vm, []string{s})
			if err != nil {
				return err
			}
			if ok {
				found = true
				return errStop
			}
		}
		return err
	})
	if err != nil && err != errStop { //nolint:errorlint // our own sentinel
		return false, err
	}
	if t.match.kind == matchCount {
		return t.match.any(vm, make([]string, count))
	}
	return found, nil
}

// rawBody returns the body of what the script takes for the message.
func (vm *machine) rawBody() (string, error) {
	if p := vm.view; p != nil {
		return vm.readText(p.between(nil, p.BodyOffset, p.end()))
	}
	return vm.doc.rawBody()
}

// texts returns what of a part is compared.
func (t *bodyTest) texts(vm *machine, p *part, err *error) []string {
	if t.kind == bodyContent && len(p.children) > 0 {
		if p.Type == "multipart" { // RFC 5173 section 5.2: prologue and epilogue
			first, last := p.children[0], p.children[len(p.children)-1]
			var before, after string
			if before, *err = vm.readText(p.between(nil, p.BodyOffset, max(p.BodyOffset, first.place.from))); *err == nil {
				after, *err = vm.readText([]segment{{p.src, last.place.to, p.end() - last.place.to}})
			}
			return []string{before, after}
		}
		h, e := vm.doc.partHeader(p.children[0]) // of a message, its header
		if *err = e; e != nil {
			return nil
		}
		var out strings.Builder
		for i := range h.fields {
			out.Write(h.fields[i].raw)
		}
		return []string{out.String()}
	}
	var s string
	s, *err = vm.doc.text(p, t.kind)
	return []string{s}
}

// end returns where the part ends in its source.
func (p *part) end() int64 {
	if p.replaced {
		return p.size
	}
	return p.End
}

// wantedType reports whether a part has one of the types (RFC 5173 section 5.2): "" is any, "text" any subtype.
func wantedType(p *part, types []string) bool {
	for _, t := range types {
		kind, subtype, slash := strings.Cut(asciiLower(t), "/")
		switch {
		case t == "":
			return true
		case strings.HasPrefix(t, "/") || strings.HasSuffix(t, "/") || strings.Contains(subtype, "/"):
		case kind == p.Type && (!slash || subtype == p.Subtype):
			return true
		}
	}
	return false
}

// text returns the text of a leaf in UTF-8 without its transfer encoding: at most Limits.BodyBytes of it.
func (d *document) text(p *part, kind bodyKind) (string, error) {
	key := textKey{p, kind}
	if s, ok := d.texts[key]; ok {
		return s, nil
	}
	r := d.vm.counted(io.NewSectionReader(p.src, p.BodyOffset, p.end()-p.BodyOffset))
	if kind == bodyText {
		r = message.TextOf(p.Part, r)
	} else {
		r = message.DecodeTransfer(r, p.Encoding)
		if p.Type == "text" {
			r = message.DecodeCharset(r, message.DecodeParam(p.Params, "charset"))
		}
	}
	s, err := d.vm.readAll(r)
	if err != nil {
		return "", err
	}
	if d.textBytes+len(s) <= maxTexts {
		if d.texts == nil {
			d.texts = map[textKey]string{}
		}
		d.texts[key] = s
		d.textBytes += len(s)
	}
	return s, nil
}

// rawBody returns what stands behind the empty line, at most Limits.BodyBytes of it.
func (d *document) rawBody() (string, error) {
	key := textKey{nil, bodyRaw}
	if s, ok := d.texts[key]; ok {
		return s, nil
	}
	segments, err := d.bodySegments()
	if err != nil {
		return "", err
	}
	if d.top.cut && !d.partsEdited { // where the body begins only the scan says
		root, err := d.parts()
		if err != nil {
			return "", err
		}
		segments = []segment{{d.base, root.BodyOffset, d.base.size - root.BodyOffset}}
	}
	s, err := d.vm.readText(segments)
	if err != nil {
		return "", err
	}
	if !d.top.cut { // the empty line is no part of the body
		if rest, ok := strings.CutPrefix(s, "\r\n"); ok {
			s = rest
		} else {
			s = strings.TrimPrefix(s, "\n")
		}
	}
	if d.texts == nil {
		d.texts = map[textKey]string{}
	}
	if d.textBytes+len(s) <= maxTexts {
		d.texts[key] = s
		d.textBytes += len(s)
	}
	return s, nil
}

func (vm *machine) readText(segments []segment) (string, error) {
	return vm.readAll(vm.counted(newMessage(segments, true).Reader()))
}

func (vm *machine) readAll(r io.Reader) (string, error) {
	var out strings.Builder
	_, err := io.Copy(&out, io.LimitReader(r, int64(vm.limits.BodyBytes)))
	if err != nil {
		return "", vm.doc.readError(err)
	}
	if err := vm.charge(out.Len() / bytesPerStep); err != nil {
		return "", err
	}
	return out.String(), nil
}
