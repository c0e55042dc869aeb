package sieve

import (
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// fieldSource says which header fields a test looks at.
type fieldSource struct {
	names []text
	index int  // RFC 5260 section 6: 0 for all, else the occurrence, from 1
	last  bool // counted from the end

	mime     bool // RFC 5703 section 4: the fields of the current part
	anychild bool // and of all parts below it
	aspect   string
	params   []text // of aspect "param"
}

// mimeAspectTags are those of the header test (RFC 5703 section 4.1).
var mimeAspectTags = []tagSpec{
	{name: "type", ext: extMime, group: "aspect"}, {name: "subtype", ext: extMime, group: "aspect"},
	{name: "contenttype", ext: extMime, group: "aspect"}, {name: "param", arg: argList, ext: extMime, group: "aspect"},
}

// fieldSource compiles the names and tags of header, address, date and exists.
func (c *compiler) fieldSource(b *bound, names argument) *fieldSource {
	f := &fieldSource{names: c.texts(names), mime: b.has("mime"), anychild: b.has("anychild"), last: b.has("last")}
	for i, t := range f.names {
		if name, ok := t.constant(); ok && !validFieldName(name) {
			c.fail(names.strings[i].pos, "%q is no name of a header field", name)
		}
	}
	if given, ok := b.tags["index"]; ok {
		f.index = clampInt(given.value.number)
		if f.index == 0 {
			c.fail(given.value.pos, `":index" counts from 1`)
		}
	} else if f.last {
		c.fail(b.tags["last"].pos, `":last" needs ":index"`)
	}
	if f.anychild && !f.mime {
		c.fail(b.tags["anychild"].pos, `":anychild" needs ":mime"`)
	}
	var pos Pos
	if f.aspect, pos = b.group("aspect"); f.aspect != "" && !f.mime {
		c.fail(pos, `":%s" needs ":mime"`, f.aspect)
	}
	if f.aspect == "param" {
		f.params = c.texts(b.tags["param"].value)
	}
	return f
}

func validFieldName(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f || name[i] == ':' {
			return false
		}
	}
	return name != ""
}

// viewHeader returns the header of what the script takes for the message.
func (vm *machine) viewHeader() (*header, error) {
	if vm.view != nil {
		return vm.doc.partHeader(vm.view)
	}
	return vm.doc.header()
}

// headers returns the headers to look at.
func (f *fieldSource) headers(vm *machine) ([]*header, error) {
	if !f.mime || !f.anychild && len(vm.loops) == 0 {
		h, err := vm.viewHeader()
		return []*header{h}, err
	}
	p, err := vm.currentPart()
	if err != nil {
		return nil, err
	}
	var out []*header
	err = p.walk(func(p *part) error {
		if err := vm.charge(1); err != nil {
			return err
		}
		h, err := vm.doc.partHeader(p)
		out = append(out, h)
		if err == nil && !f.anychild {
			return errStop
		}
		return err
	})
	if err == errStop { //nolint:errorlint // our own sentinel
		err = nil
	}
	return out, err
}

// walk calls f for p and every part below it, in the order of the message.
func (p *part) walk(f func(*part) error) error {
	if p.removed {
		return nil
	}
	children := p.children // those that f may put there are not walked
	if err := f(p); err != nil {
		return err
	}
	for _, child := range children {
		if err := child.walk(f); err != nil {
			return err
		}
	}
	return nil
}

// each calls use for every field there is.
func (f *fieldSource) each(vm *machine, use func(*headerField)) error {
	headers, err := f.headers(vm)
	if err != nil {
		return err
	}
	for _, h := range headers {
		left := f.index // to count: over all the names in their order (RFC 5260 section 6)
		for i := range f.names {
			if f.last {
				i = len(f.names) - 1 - i
			}
			name := asciiLower(strings.TrimSpace(f.names[i].get(vm)))
			if err := vm.charge(1 + len(h.fields)/8); err != nil {
				return err
			}
			if f.index > 0 {
				var field *headerField
				if field, left = h.occurrence(name, left, f.last); field != nil {
					use(field)
					break
				}
				continue
			}
			h.named(name, func(field *headerField) bool { use(field); return true })
		}
	}
	return nil
}

// occurrence returns the n-th field of a name, from 1; without so many it returns how many are left to count.
func (h *header) occurrence(name string, n int, last bool) (field *headerField, left int) {
	for i := range h.fields {
		if last {
			i = len(h.fields) - 1 - i
		}
		if h.fields[i].name == name {
			if n--; n == 0 {
				return &h.fields[i], 0
			}
		}
	}
	return nil, n
}

// values returns what the header test compares.
func (f *fieldSource) values(vm *machine) ([]string, error) {
	var out []string
	params := getAll(vm, f.params)
	err := f.each(vm, func(field *headerField) {
		if f.aspect == "" {
			out = append(out, field.value())
			return
		}
		out = append(out, mimeAspect(field, f.aspect, params)...)
	})
	return out, err
}

// mimeAspect returns a piece of a Content-Type or Content-Disposition field (RFC 5703 section 4.1); what a field does not have
// is an empty string.
func mimeAspect(field *headerField, aspect string, params []string) []string {
	value, _, _ := strings.Cut(field.structured(), ";")
	value, _, _ = strings.Cut(value, "(")
	value = strings.TrimSpace(value)
	kind, subtype, slash := strings.Cut(value, "/")
	contentType := field.name == "content-type"
	if !contentType && field.name != "content-disposition" && aspect != "param" {
		return []string{""}
	}
	switch aspect {
	case "type":
		if contentType && !slash {
			return []string{"text"} // RFC 2045 section 5.2
		}
		return []string{strings.TrimSpace(kind)}
	case "subtype":
		if contentType && !slash {
			return []string{"plain"}
		}
		return []string{strings.TrimSpace(subtype)}
	case "contenttype":
		if contentType && !slash {
			return []string{"text/plain"}
		}
		return []string{strings.TrimSpace(kind) + strings.Repeat("/", b2i(slash)) + strings.TrimSpace(subtype)}
	}
	// A disposition takes parameters of any field, whatever stands before them.
	_, list, _ := strings.Cut(field.structured(), ";")
	scanned := message.Scan([]byte("Content-Disposition: x;" + list + "\r\n\r\n")).Root.DispositionParams
	var out []string
	for _, name := range params {
		name = asciiLower(name)
		for _, p := range scanned {
			if p.Name == name || p.Name == name+"*" {
				out = append(out, message.DecodeParam(scanned, name))
				break
			}
		}
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
