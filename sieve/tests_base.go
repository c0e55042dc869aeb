package sieve

import (
	"strings"
)

func init() {
	testSpecs["address"] = &spec{
		args: []argKind{argList, argList}, tags: tags(comparatorTags, matchTags, addressPartTags, indexTags, mimeTags),
		usage: `address [:all / :localpart / :domain] [:is / :contains / :matches] <header names> <keys>`,
		test: func(c *compiler, b *bound) test {
			part, _ := b.group("part")
			for _, s := range b.pos[0].strings {
				if t := c.text(s); t.parts == nil && t.variants == nil && !addressFields[asciiLower(t.literal)] && validFieldName(t.literal) {
					c.fail(s.pos, `the field %q has no addresses in it; use the "header" test`, s.text)
				}
			}
			return &addressTest{c.fieldSource(b, b.pos[0]), addressParts[part], c.matcher(b, b.pos[1])}
		},
	}
	testSpecs["header"] = &spec{
		args: []argKind{argList, argList}, tags: tags(comparatorTags, matchTags, indexTags, mimeTags, mimeAspectTags),
		usage: `header [:is / :contains / :matches] <header names> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &headerTest{c.fieldSource(b, b.pos[0]), c.matcher(b, b.pos[1])}
		},
	}
	testSpecs["exists"] = &spec{
		args: []argKind{argList}, tags: mimeTags, usage: `exists <header names>`,
		test: func(c *compiler, b *bound) test { return &existsTest{c.fieldSource(b, b.pos[0])} },
	}
	testSpecs["size"] = &spec{
		args: []argKind{argNumber}, tags: []tagSpec{{name: "over", group: "size"}, {name: "under", group: "size"}},
		usage: `size :over <number>, or size :under <number>`,
		test: func(c *compiler, b *bound) test {
			tag, _ := b.group("size")
			if tag == "" {
				c.fail(b.node.pos, `"size" needs ":over" or ":under", as in: size :over 1M`)
			}
			return &sizeTest{b.pos[0].number, tag == "over"}
		},
	}
	testSpecs["envelope"] = &spec{
		ext: extEnvelope, args: []argKind{argList, argList}, tags: tags(comparatorTags, matchTags, addressPartTags),
		usage: `envelope [:all / :localpart / :domain] [:is / :contains / :matches] <"from" or "to"> <keys>`,
		test: func(c *compiler, b *bound) test {
			part, _ := b.group("part")
			names := c.texts(b.pos[0])
			for i, t := range names {
				if name, ok := t.constant(); ok && !asciiEqualFold(name, "from") && !asciiEqualFold(name, "to") {
					c.fail(b.pos[0].strings[i].pos, `the envelope has no %q; there are "from" and "to"`, name)
				}
			}
			return &envelopeTest{names, addressParts[part], c.matcher(b, b.pos[1])}
		},
	}
}

type addressTest struct {
	fields *fieldSource
	part   addressPart
	match  *matcher
}

func (t *addressTest) eval(vm *machine) (bool, error) {
	var values []string
	err := t.fields.each(vm, func(f *headerField) {
		if !addressFields[f.name] {
			return
		}
		for _, a := range parseAddresses(f.structured()) {
			if v, ok := t.part.of(addrSpec(a), vm.in.Delimiter); ok {
				values = append(values, v)
			}
		}
		vm.steps -= len(f.raw) / 16
	})
	if err != nil {
		return false, err
	}
	return t.match.any(vm, values)
}

type headerTest struct {
	fields *fieldSource
	match  *matcher
}

func (t *headerTest) eval(vm *machine) (bool, error) {
	values, err := t.fields.values(vm)
	if err != nil {
		return false, err
	}
	return t.match.any(vm, values)
}

// existsTest is true when all fields exist (RFC 5228 section 5.5); with ":mime :anychild", each in some part.
type existsTest struct{ fields *fieldSource }

func (t *existsTest) eval(vm *machine) (bool, error) {
	headers, err := t.fields.headers(vm)
	if err != nil {
		return false, err
	}
	for i := range t.fields.names {
		name, found := asciiLower(strings.TrimSpace(t.fields.names[i].get(vm))), false
		for _, h := range headers {
			if err := vm.charge(1 + len(h.fields)/8); err != nil {
				return false, err
			}
			if found = h.has(name); found {
				break
			}
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

type sizeTest struct {
	limit int64
	over  bool
}

func (t *sizeTest) eval(vm *machine) (bool, error) {
	m, err := vm.doc.message()
	if err != nil {
		return false, err
	}
	size := m.size
	if vm.view != nil {
		size = 0
		for _, s := range vm.view.segments(nil) {
			size += s.length
		}
	}
	if t.over {
		return size > t.limit, nil
	}
	return size < t.limit, nil
}

type envelopeTest struct {
	names []text
	part  addressPart
	match *matcher
}

func (t *envelopeTest) eval(vm *machine) (bool, error) {
	if vm.in.Envelope.Absent {
		return false, vm.failf(vm.pos, `there is no envelope to test when an IMAP event starts the script`) // RFC 6785 section 4.6
	}
	var values []string
	for i := range t.names {
		var address string
		switch asciiLower(t.names[i].get(vm)) {
		case "from":
			address = vm.in.Envelope.From
		case "to":
			address = vm.in.Envelope.To
		default:
			continue
		}
		// RFC 5228 section 5.4: the null reverse path is the empty string, whatever the part; ":count" does not count it
		// (RFC 5231 section 4.2).
		if address == "" {
			if t.match.kind != matchCount {
				values = append(values, "")
			}
		} else if v, ok := t.part.of(address, vm.in.Delimiter); ok {
			values = append(values, v)
		}
	}
	return t.match.any(vm, values)
}
