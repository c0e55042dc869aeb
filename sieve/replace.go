package sieve

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

func init() {
	commandSpecs["replace"] = &spec{
		ext: extReplace, args: []argKind{argString},
		tags:  []tagSpec{{name: "mime"}, {name: "subject", arg: argString}, {name: "from", arg: argString}},
		usage: `replace [:mime] [:subject <text>] [:from <address>] <replacement>;`,
		command: func(c *compiler, b *bound) command {
			out := &replaceCommand{mime: b.has("mime"), text: c.textOf(b.pos[0])}
			if t, ok := b.tags["subject"]; ok {
				s := c.textOf(t.value)
				out.subject = &s
			}
			if t, ok := b.tags["from"]; ok {
				s := c.fromArg(t.value)
				out.from = &s
			}
			return out
		},
	}
	commandSpecs["enclose"] = &spec{
		ext: extEnclose, args: []argKind{argString},
		tags:  []tagSpec{{name: "subject", arg: argString}, {name: "headers", arg: argList}},
		usage: `enclose [:subject <text>] [:headers <"Name: value" ...>] <text>;`,
		command: func(c *compiler, b *bound) command {
			out := &encloseCommand{text: c.textOf(b.pos[0]), headers: c.texts(b.tags["headers"].value)}
			if t, ok := b.tags["subject"]; ok {
				s := c.textOf(t.value)
				out.subject = &s
			}
			return out
		},
	}
}

// fromArg compiles an address that a generated message is to come from.
func (c *compiler) fromArg(a argument) text {
	t := c.textOf(a)
	if s, ok := t.constant(); ok {
		if _, valid := singleAddress(s); !valid {
			c.fail(a.pos, "%q is no address", s)
		}
	}
	return t
}

// countReplacement counts a change of the message's parts.
func (vm *machine) countReplacement(size int) error {
	if vm.replacements++; vm.replacements > vm.limits.Replacements {
		return vm.failf(vm.pos, "the script replaces or encloses more than %d times", vm.limits.Replacements)
	}
	return vm.charge(1 + size/bytesPerStep)
}

// replaceCommand puts another MIME entity in the place of the current part, or of the message's body (RFC 5703 section 5).
type replaceCommand struct {
	mime          bool
	subject, from *text // of the whole message; no meaning for a part
	text          text
}

func (r *replaceCommand) run(vm *machine) error {
	value := r.text.get(vm)
	if err := vm.countReplacement(len(value)); err != nil {
		return err
	}
	entity := entityOf(value, r.mime)
	p, err := vm.currentPart()
	if err != nil {
		return err
	}
	if p.parent != nil {
		if p.removed || vm.orphan(p) {
			return nil // the part is in the message no more
		}
		if !bytes.HasSuffix(entity, []byte("\r\n\r\n")) { // the line end before a boundary belongs to it
			entity = bytes.TrimSuffix(entity, []byte("\r\n"))
		}
		vm.doc.replace(p, entity)
		return nil
	}
	return r.whole(vm, entity)
}

// orphan reports whether a part belongs to a state of the message that was replaced as a whole.
func (vm *machine) orphan(p *part) bool {
	for p.parent != nil {
		p = p.parent
	}
	return p != vm.doc.root
}

// entityOf returns a MIME entity with header and body.
func entityOf(value string, mime bool) []byte {
	if mime {
		return []byte(crlf(value))
	}
	fields, body := textEntity(value)
	return slices.Concat(fields, []byte("\r\n"), body)
}

// whole replaces the body of the message and the fields that describe it.
func (r *replaceCommand) whole(vm *machine, entity []byte) error {
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	scanned := message.Scan(entity)
	described := parseHeader(entity[:scanned.Root.BodyOffset], 0, true)
	var fields []headerField
	for _, f := range h.fields {
		if strings.HasPrefix(f.name, "content-") || f.name == "mime-version" {
			continue
		}
		for name, value := range map[string]*text{"subject": r.subject, "from": r.from} {
			if f.name == name && value != nil { // RFC 5703 section 5: what was there is kept under another name
				f = headerField{name: "original-" + name, raw: slices.Concat([]byte("Original-"), f.raw), added: true}
			}
		}
		fields = append(fields, f)
	}
	if r.from != nil {
		from := r.from.get(vm)
		if _, ok := singleAddress(from); !ok {
			return vm.failf(r.from.pos, "%q is no address", cutString(from, 100))
		}
		fields = append(fields, addedField("From", encodeMailbox(from)))
	}
	if r.subject != nil {
		fields = append(fields, headerField{name: "subject", raw: appendUnstructured(nil, "Subject", r.subject.get(vm)), added: true})
	}
	fields = append(fields, addedField("MIME-Version", "1.0"))
	for _, f := range described.fields {
		if strings.HasPrefix(f.name, "content-") {
			f.added = true
			fields = append(fields, f)
		}
	}
	vm.doc.setFields(fields)
	segments, err := vm.doc.headerSegments()
	if err != nil {
		return err
	}
	body := slices.Concat([]byte("\r\n"), entity[scanned.Root.BodyOffset:])
	vm.doc.rebase(newMessage(vm.doc.flatten(append(segments, literal(body))), true))
	return nil
}

func addedField(name, value string) headerField {
	return headerField{name: asciiLower(name), raw: message.AppendField(nil, name, value), added: true}
}

// encloseCommand makes the message an attachment of a new one (RFC 5703 section 6).
type encloseCommand struct {
	subject *text
	headers []text
	text    text
}

// enclosedFields are the fields that the new message takes from the one it encloses unless ":headers" gives others.
var enclosedFields = []string{"from", "to", "cc", "reply-to", "date", "subject", "message-id", "in-reply-to", "references"}

func (e *encloseCommand) run(vm *machine) error {
	value := e.text.get(vm)
	if err := vm.countReplacement(len(value)); err != nil {
		return err
	}
	inner, err := vm.doc.message()
	if err != nil {
		return err
	}
	h, err := vm.doc.header()
	if err != nil {
		return err
	}
	var out []byte
	given := map[string]bool{"content-type": true, "mime-version": true}
	if e.subject != nil {
		out = appendUnstructured(out, "Subject", e.subject.get(vm))
		given["subject"] = true
	}
	for i := range e.headers {
		name, v, ok := strings.Cut(e.headers[i].get(vm), ":")
		if name = strings.TrimSpace(name); !ok || !validFieldName(name) {
			return vm.failf(e.headers[i].pos, `":headers" takes strings like "Name: value"`)
		}
		if lower := asciiLower(name); !strings.HasPrefix(lower, "content-") && lower != "mime-version" {
			out = appendUnstructured(out, name, cutString(v, maxAddedValue))
			given[lower] = true
		}
	}
	for i := range h.fields {
		if f := &h.fields[i]; slices.Contains(enclosedFields, f.name) && !given[f.name] {
			out = append(out, f.raw...)
			if !bytes.HasSuffix(out, []byte("\n")) {
				out = append(out, "\r\n"...)
			}
		}
	}
	sum := sha256.Sum256(append([]byte(value), out...))
	boundary := "=_" + hex.EncodeToString(sum[:12])
	out = append(out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\""+boundary+"\"\r\n\r\n--"+boundary+"\r\n"...)
	out = append(out, entityOf(value, false)...)
	out = append(out, "\r\n--"+boundary+"\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"...)
	segments := slices.Concat([]segment{literal(out)}, inner.segments, []segment{literal([]byte("\r\n--" + boundary + "--\r\n"))})
	if vm.doc.unenclosed == nil {
		vm.doc.unenclosed = inner
	}
	vm.doc.rebase(newMessage(segments, true))
	return nil
}
