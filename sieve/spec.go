package sieve

import (
	"fmt"
	"slices"
)

// spec says how a command or test is written.
type spec struct {
	ext   extension // that it needs, "" for the base language
	args  []argKind // positional arguments, in order
	least int       // how many of args must be there; 0 means all unless optional is set
	tail  bool      // with fewer than all, the ones at the end are missing; else the ones at the beginning
	tags  []tagSpec
	usage string // how it is written, for error messages

	tests testsWanted
	block bool

	command func(c *compiler, b *bound) command
	test    func(c *compiler, b *bound) test
}

type testsWanted uint8

const (
	noTest testsWanted = iota
	oneTest
	manyTests
)

// tagSpec is a tagged argument.
type tagSpec struct {
	name  string
	arg   argKind   // of the value behind it, argNone for none
	ext   extension // that it needs, "" for none
	group string    // of one group at most one may be given; "" for a group of its own
}

// bound is a command or test with its arguments sorted.
type bound struct {
	*node
	spec *spec
	tags map[string]boundTag
	pos  []argument // positional ones
}

type boundTag struct {
	pos   Pos
	value argument
}

func (b *bound) has(tag string) bool { _, ok := b.tags[tag]; return ok }

// group returns the tag given of a group, "" for none.
func (b *bound) group(group string) (string, Pos) {
	for _, t := range b.spec.tags {
		if t.group == group {
			if given, ok := b.tags[t.name]; ok {
				return t.name, given.pos
			}
		}
	}
	return "", Pos{}
}

// arg returns the i-th positional argument of the spec, and whether it was given.
func (b *bound) arg(i int) (argument, bool) {
	if !b.spec.tail {
		i -= len(b.spec.args) - len(b.pos)
	}
	if i < 0 || i >= len(b.pos) {
		return argument{}, false
	}
	return b.pos[i], true
}

// Tags that several commands and tests take.
var (
	comparatorTags = []tagSpec{{name: "comparator", arg: argString}}
	matchTags      = []tagSpec{
		{name: "is", group: "match"}, {name: "contains", group: "match"}, {name: "matches", group: "match"},
		{name: "count", arg: argString, ext: extRelational, group: "match"},
		{name: "value", arg: argString, ext: extRelational, group: "match"},
		{name: "regex", ext: extRegex, group: "match"},
		{name: "list", ext: extExtlists, group: "match"},
	}
	addressPartTags = []tagSpec{
		{name: "all", group: "part"}, {name: "localpart", group: "part"}, {name: "domain", group: "part"},
		{name: "user", ext: extSubaddress, group: "part"}, {name: "detail", ext: extSubaddress, group: "part"},
	}
	indexTags = []tagSpec{{name: "index", arg: argNumber, ext: extIndex}, {name: "last", ext: extIndex}}
	mimeTags  = []tagSpec{{name: "mime", ext: extMime}, {name: "anychild", ext: extMime}}
	flagsTags = []tagSpec{{name: "flags", arg: argList, ext: extImap4flags}}
	// fccTags are those of RFC 8580 section 3 and what may stand beside them.
	fccTags = []tagSpec{
		{name: "fcc", arg: argString, ext: extFcc},
		{name: "create", ext: extMailbox},
		{name: "flags", arg: argList, ext: extImap4flags},
		{name: "specialuse", arg: argString, ext: extSpecialUse},
		{name: "mailboxid", arg: argString, ext: extMailboxid},
	}
)

func tags(groups ...[]tagSpec) []tagSpec { return slices.Concat(groups...) }

// bind sorts the arguments of n; nil when they are wrong. What it finds to need an extension that only ihave may make
// available it adds to c.lazy.
func (c *compiler) bind(n *node, s *spec) *bound {
	b := &bound{node: n, spec: s, tags: map[string]boundTag{}}
	before := c.failures
	c.need(s.ext, n.pos, n.name)
	groups := map[string]string{}
	for i := 0; i < len(n.args); i++ {
		a := n.args[i]
		if a.kind != argTag {
			b.pos = append(b.pos, a)
			continue
		}
		t := s.tag(a.tag)
		if t == nil {
			c.fail(a.pos, "%s", s.noTag(n.name, a.tag))
			if i+1 < len(n.args) && n.args[i+1].kind == argNumber {
				i++ // most likely its value
			}
			continue
		}
		if len(b.pos) > 0 {
			c.fail(a.pos, "%q must come before the other arguments of %q", ":"+a.tag, n.name)
		}
		if b.has(t.name) {
			c.fail(a.pos, "%q is given twice", ":"+a.tag)
		}
		if t.group != "" {
			if other := groups[t.group]; other != "" && other != t.name {
				c.fail(a.pos, "%q and %q exclude each other", ":"+other, ":"+t.name)
			}
			groups[t.group] = t.name
		}
		c.need(t.ext, a.pos, ":"+a.tag)
		given := boundTag{pos: a.pos}
		if t.arg != argNone {
			i++
			if i >= len(n.args) || !fits(n.args[i].kind, t.arg) {
				c.fail(a.pos, "%q must be followed by %s", ":"+a.tag, t.arg.wanted())
				i--
				continue
			}
			given.value = n.args[i]
		}
		b.tags[t.name] = given
	}
	c.positional(b)
	c.shape(b)
	if c.failures > before {
		return nil
	}
	return b
}

func (s *spec) tag(name string) *tagSpec {
	for i := range s.tags {
		if s.tags[i].name == name {
			return &s.tags[i]
		}
	}
	return nil
}

// noTag says that a command has no such tag, and what was probably meant.
func (s *spec) noTag(command, tag string) string {
	names := make([]string, len(s.tags))
	for i, t := range s.tags {
		names[i] = t.name
	}
	text := fmt.Sprintf("%q takes no %q", command, ":"+tag)
	if near := nearest(tag, names); near != "" {
		text += fmt.Sprintf("; did you mean %q?", ":"+near)
	}
	return text
}

// positional checks number and kinds of the positional arguments.
func (c *compiler) positional(b *bound) {
	s := b.spec
	least := s.least
	if !s.optional() {
		least = len(s.args)
	}
	if len(b.pos) < least || len(b.pos) > len(s.args) {
		what := "arguments are missing"
		if len(b.pos) > len(s.args) {
			what = "there are too many arguments"
		}
		c.fail(b.node.pos, "%s: %s; it is written: %s", b.name, what, s.usage)
		return
	}
	for i, a := range b.pos {
		want := s.args[i]
		if !s.tail {
			want = s.args[i+len(s.args)-len(b.pos)]
		}
		if !fits(a.kind, want) {
			c.fail(a.pos, "%s is needed here, not %s; it is written: %s", want.wanted(), a.kind.wanted(), s.usage)
		}
	}
}

// optional reports whether some positional arguments may be missing.
func (s *spec) optional() bool { return s.least > 0 || s.tail }

// shape checks tests and block.
func (c *compiler) shape(b *bound) {
	switch b.spec.tests {
	case noTest:
		if len(b.tests) > 0 {
			missing := ";"
			if b.spec.test != nil {
				missing = ","
			}
			c.fail(b.tests[0].pos, "%q takes no test; is a %q missing before %q?", b.name, missing, b.tests[0].name)
		}
	case oneTest:
		if len(b.tests) != 1 || b.listed {
			c.fail(b.node.pos, "%q takes one test; to combine several use allof (...) or anyof (...)", b.name)
		}
	case manyTests:
		if !b.listed {
			c.fail(b.node.pos, "%q takes a list of tests in parentheses", b.name)
		}
	}
	if b.spec.block && !b.hasBlock {
		c.fail(b.node.pos, "%q needs a block in braces", b.name)
	}
	if !b.spec.block && b.hasBlock {
		c.fail(b.node.pos, "%q takes no block", b.name)
	}
}

// fits reports whether an argument of a kind may stand where another is wanted.
func fits(given, wanted argKind) bool {
	return given == wanted || given == argString && wanted == argList
}

// wanted names the kind.
func (k argKind) wanted() string {
	switch k {
	case argNumber:
		return "a number"
	case argString:
		return "a string"
	case argList:
		return "a string or a list of strings"
	case argTag:
		return "a tag"
	}
	return "nothing"
}
