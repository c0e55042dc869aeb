package sieve

import (
	"bytes"
	"slices"
	"strings"
)

func init() {
	commandSpecs["addheader"] = &spec{
		ext: extEditheader, args: []argKind{argString, argString}, tags: []tagSpec{{name: "last"}},
		usage: `addheader [:last] <field name> <value>;`,
		command: func(c *compiler, b *bound) command {
			return &addheaderCommand{c.editedName(b.pos[0]), c.textOf(b.pos[1]), b.has("last")}
		},
	}
	commandSpecs["deleteheader"] = &spec{
		ext: extEditheader, args: []argKind{argString, argList}, least: 1, tail: true,
		tags:  tags(comparatorTags, matchTags, []tagSpec{{name: "index", arg: argNumber}, {name: "last"}}),
		usage: `deleteheader [:index <number> [:last]] [:is / :contains / :matches] <field name> [<values>];`,
		command: func(c *compiler, b *bound) command {
			out := &deleteheaderCommand{name: c.editedName(b.pos[0]), last: b.has("last")}
			if t, ok := b.tags["index"]; ok {
				if out.index = clampInt(t.value.number); out.index == 0 {
					c.fail(t.value.pos, `":index" counts from 1`)
				}
			} else if out.last {
				c.fail(b.tags["last"].pos, `":last" needs ":index"`)
			}
			if values, ok := b.arg(1); ok {
				out.match = c.matcher(b, values)
			}
			return out
		},
	}
}

// protectedFields must not be deleted (RFC 5293 section 6).
var protectedFields = []string{"received", "auto-submitted"}

// editedName compiles the name of a field to be added or deleted.
func (c *compiler) editedName(a argument) text {
	t := c.textOf(a)
	if name, ok := t.constant(); ok && !validFieldName(name) {
		c.fail(a.pos, "%q cannot be the name of a header field", name)
	}
	return t
}

// edit counts an edit of the header.
func (vm *machine) edit(name text) (string, error) {
	value := name.get(vm)
	if !validFieldName(value) {
		return "", vm.failf(name.pos, "%q cannot be the name of a header field", cutString(value, 100))
	}
	if vm.edits++; vm.edits > vm.limits.HeaderEdits {
		return "", vm.failf(vm.pos, "the script edits the header more than %d times", vm.limits.HeaderEdits)
	}
	return value, nil
}

type addheaderCommand struct {
	name, value text
	last        bool
}

func (a *addheaderCommand) run(vm *machine) error {
	name, err := vm.edit(a.name)
	if err != nil {
		return err
	}
	value := a.value.get(vm)
	if len(value) > maxAddedValue {
		return vm.failf(a.value.pos, "the value of the header field has more than %d bytes", maxAddedValue)
	}
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	if err := vm.charge(1 + len(h.fields)/8 + len(value)/bytesPerStep); err != nil {
		return err
	}
	added := headerField{name: asciiLower(name), raw: appendUnstructured(nil, name, value), added: true}
	fields := slices.Clone(h.fields)
	if !a.last {
		fields = slices.Insert(fields, 0, added)
	} else {
		if n := len(fields); n > 0 && !bytes.HasSuffix(fields[n-1].raw, []byte("\n")) {
			fields[n-1].raw = append(slices.Clone(fields[n-1].raw), "\r\n"...)
			fields[n-1].added = true
		}
		fields = append(fields, added)
	}
	vm.doc.setFields(fields)
	return nil
}

// maxAddedValue is the longest value of a field that is added.
const maxAddedValue = 8 << 10

// setFields puts other fields in the place of those of the message.
func (d *document) setFields(fields []headerField) {
	h := *d.top
	h.fields = fields
	d.top, d.composed = &h, nil
}

type deleteheaderCommand struct {
	name  text
	index int
	last  bool
	match *matcher // nil deletes whatever the value is
}

func (c *deleteheaderCommand) run(vm *machine) error {
	name, err := vm.edit(c.name)
	if err != nil {
		return err
	}
	name = asciiLower(name)
	if slices.Contains(protectedFields, name) {
		return nil // RFC 5293 section 6: silently
	}
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	if err := vm.charge(1 + len(h.fields)/8); err != nil {
		return err
	}
	var only *headerField
	if c.index > 0 {
		if only, _ = h.occurrence(name, c.index, c.last); only == nil {
			return nil
		}
	}
	var kept []headerField
	for i := range h.fields {
		f := &h.fields[i]
		remove := f.name == name && (only == nil || f == only)
		if remove && c.match != nil {
			if remove, err = c.match.any(vm, []string{f.value()}); err != nil {
				return err
			}
		}
		if !remove {
			kept = append(kept, *f)
		}
	}
	if len(kept) != len(h.fields) {
		vm.doc.setFields(kept)
	}
	return nil
}

// appendUnstructured appends a field with an unstructured value, encoded (RFC 2047) where it is not ASCII and folded.
func appendUnstructured(dst []byte, name, value string) []byte {
	value = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ReplaceAll(value, "\r\n", " "))
	value = strings.TrimSpace(value)
	dst = append(append(dst, name...), ": "...)
	column := len(name) + 2
	for i, w := range unstructuredWords(value) {
		if i > 0 {
			if column+1+len(w) > 78 && strings.Trim(w, " \t") != "" {
				dst = append(dst, "\r\n"...)
				column = 0
			}
			dst = append(dst, ' ')
			column++
		}
		dst = append(dst, w...)
		column += len(w)
	}
	return append(dst, "\r\n"...)
}

// maxEncodedOctets is how many octets one encoded word holds: with base64 and "=?utf-8?B?" it stays under 76 characters.
const maxEncodedOctets = 42

// unstructuredWords cuts a value at its spaces and encodes it when it is not ASCII: then from the first to the last word that
// must be, so that the spaces between them are kept.
func unstructuredWords(value string) []string {
	words := strings.Split(value, " ")
	encode := func(w string) bool {
		return !isASCII(w) || strings.Contains(w, "=?") || len(w) > 900
	}
	first, last := slices.IndexFunc(words, encode), -1
	if first < 0 {
		return words
	}
	for i, w := range words {
		if encode(w) {
			last = i
		}
	}
	out := slices.Clone(words[:first])
	out = append(out, encodedWords(strings.Join(words[first:last+1], " "))...)
	return append(out, words[last+1:]...)
}
