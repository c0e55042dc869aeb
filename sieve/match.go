package sieve

import (
	"strconv"
	"strings"
)

// matchKind is a match type.
type matchKind uint8

const (
	matchIs matchKind = iota
	matchContains
	matchMatches
	matchRegex
	matchValue // RFC 5231
	matchCount
	matchList // RFC 6134
)

var matchKinds = map[string]matchKind{
	"is": matchIs, "contains": matchContains, "matches": matchMatches, "regex": matchRegex, "value": matchValue,
	"count": matchCount, "list": matchList, "": matchIs,
}

// matcher compares values with keys.
type matcher struct {
	kind       matchKind
	relation   string // of matchValue and matchCount: "gt", "ge", "lt", "le", "eq", "ne"
	comparator comparator
	keys       []matchKey
	noCapture  bool // the test sets no match variables
}

// matchKey is a key; what can be prepared is prepared when the script is compiled.
type matchKey struct {
	text   text
	ready  bool
	value  string // the text, once it is known
	folded string // of matchIs and matchContains
	glob   *glob
	regex  *compiledRegex
}

// matcher compiles comparator, match type and keys.
func (c *compiler) matcher(b *bound, keys argument) *matcher {
	m := &matcher{}
	tag, pos := b.group("match")
	if pos == (Pos{}) {
		pos = b.node.pos
	}
	m.kind = matchKinds[tag]
	if given, ok := b.tags["comparator"]; ok {
		m.comparator = c.comparator(given.value.strings[0])
		if m.kind == matchList { // RFC 6134
			c.fail(given.pos, `":list" takes no comparator: what is equal is the list's matter`)
		}
	}
	if m.comparator == asciiNumeric && (m.kind == matchContains || m.kind == matchMatches || m.kind == matchRegex) {
		c.fail(pos, `":%s" cannot be used with the comparator "i;ascii-numeric"`, tag)
	}
	if m.kind == matchValue || m.kind == matchCount {
		s := b.tags[tag].value.strings[0]
		m.relation = asciiLower(s.text)
		switch m.relation {
		case "gt", "ge", "lt", "le", "eq", "ne":
		default:
			c.fail(s.pos, `%q is no relation; it must be one of "gt", "ge", "lt", "le", "eq", "ne"`, s.text)
		}
	}
	for i, t := range c.texts(keys) {
		k := matchKey{text: t}
		if value, ok := t.constant(); ok && c.failures < maxProblems {
			var err error
			if k, err = m.prepare(t, value, c.limits); err != nil {
				c.fail(keys.strings[i].pos, "%v", err)
			} else if k.regex != nil {
				if c.regexes += k.regex.size; c.regexes > 10*c.limits.RegexMemory {
					c.fail(keys.strings[i].pos, "the regular expressions of the script are too complicated, all together")
				}
			}
		}
		m.keys = append(m.keys, k)
	}
	return m
}

func (c *compiler) comparator(s str) comparator {
	cmp, ok := comparators[s.text]
	if !ok {
		names := []string{"i;ascii-casemap", "i;octet", "i;ascii-numeric", "i;unicode-casemap"}
		if near := nearest(s.text, names); near != "" {
			c.fail(s.pos, "there is no comparator %q; did you mean %q?", s.text, near)
		} else {
			c.fail(s.pos, "there is no comparator %q; there are %s", s.text, orList(names))
		}
		return asciiCasemap
	}
	c.need(cmp.extension(), s.pos, s.text)
	return cmp
}

// prepare does what can be done with a key before a value is known.
func (m *matcher) prepare(t text, value string, limits Limits) (k matchKey, err error) {
	k = matchKey{text: t, ready: true, value: value}
	switch m.kind {
	case matchIs, matchContains, matchValue, matchCount:
		if m.comparator != asciiNumeric {
			k.folded = m.comparator.fold(value)
		} else {
			k.value = shortNumber(value)
		}
	case matchMatches:
		k.glob = compileGlob(value, m.comparator)
	case matchRegex:
		k.regex, err = compileRegex(value, m.comparator, limits)
	case matchList:
		var ok bool
		if k.value, ok = CanonicalList(value); !ok {
			err = listProblem(value)
		}
	}
	return k, err
}

// any reports whether one of the values matches one of the keys, or for ":count" whether their number does.
func (m *matcher) any(vm *machine, values []string) (bool, error) {
	if m.kind == matchList {
		return m.anyList(vm, values)
	}
	if m.kind == matchCount {
		return m.one(vm, matchValue, strconv.Itoa(len(values)))
	}
	for _, v := range values {
		ok, err := m.one(vm, m.kind, v)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// one compares a value with every key.
func (m *matcher) one(vm *machine, kind matchKind, value string) (bool, error) {
	folded := value
	if (kind == matchIs || kind == matchContains || kind == matchValue) && m.comparator != asciiNumeric {
		if err := vm.charge(m.cost(value)); err != nil {
			return false, err
		}
		folded = m.comparator.fold(value)
	}
	for i := range m.keys {
		if err := vm.charge(1 + m.cost(value)); err != nil {
			return false, err
		}
		k := &m.keys[i]
		if !k.ready {
			prepared, err := m.expand(vm, k)
			if err != nil {
				return false, err
			}
			k = &prepared
		}
		if ok, err := m.key(vm, kind, value, folded, k); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// cost is how many steps it takes to look at a value. Unicode's tables make it dear.
func (m *matcher) cost(value string) int {
	if m.comparator == unicodeCasemap {
		return len(value) / (bytesPerStep / 16)
	}
	return len(value) / bytesPerStep
}

func (m *matcher) key(vm *machine, kind matchKind, value, folded string, k *matchKey) (bool, error) {
	switch kind {
	case matchIs:
		if m.comparator == asciiNumeric {
			return compareNumeric(value, k.value) == 0, nil
		}
		return folded == k.folded, nil
	case matchContains:
		return strings.Contains(folded, k.folded), nil
	case matchMatches:
		return m.globKey(vm, value, k.glob)
	case matchRegex:
		return m.regexKey(vm, value, k.regex)
	default:
		if m.comparator == asciiNumeric {
			return m.related(compareNumeric(value, k.value)), nil
		}
		return m.related(strings.Compare(folded, k.folded)), nil
	}
}

// expand prepares a key whose text depends on variables.
func (m *matcher) expand(vm *machine, k *matchKey) (matchKey, error) {
	key := k.text.get(vm)
	if err := vm.charge(len(key) / bytesPerStep); err != nil {
		return matchKey{}, err
	}
	if m.kind != matchRegex {
		return m.prepare(k.text, key, vm.limits)
	}
	re, err := vm.regex(key, m.comparator)
	if err != nil {
		return matchKey{}, vm.failf(k.text.pos, "%v", err)
	}
	return matchKey{text: k.text, ready: true, value: key, regex: re}, nil
}

// related says what the order of value and key means (RFC 5231 section 4.1): the value stands on the left.
func (m *matcher) related(cmp int) bool {
	switch m.relation {
	case "gt":
		return cmp > 0
	case "ge":
		return cmp >= 0
	case "lt":
		return cmp < 0
	case "le":
		return cmp <= 0
	case "eq":
		return cmp == 0
	default:
		return cmp != 0
	}
}

func (m *matcher) globKey(vm *machine, value string, g *glob) (bool, error) {
	v := newGlobValue(value, m.comparator)
	budget := vm.steps * bytesPerStep
	v.work = budget
	captured, ok := g.match(v)
	if err := vm.charge((budget - v.work) / bytesPerStep); err != nil {
		return false, err
	}
	if ok && !m.noCapture {
		vm.frame.captures = vm.frame.captures[:0]
		vm.capture(value)
		for _, s := range captured {
			vm.capture(v.text(s))
		}
	}
	return ok, nil
}

func (m *matcher) regexKey(vm *machine, value string, re *compiledRegex) (bool, error) {
	// RE2 takes time in proportion to the value and, at worst, to the size of the program.
	if err := vm.charge(len(value) / bytesPerStep * (1 + re.size/4)); err != nil {
		return false, err
	}
	if m.noCapture {
		return re.MatchString(value), nil
	}
	loc := re.FindStringSubmatchIndex(value)
	if loc == nil {
		return false, nil
	}
	vm.frame.captures = vm.frame.captures[:0]
	for i := 0; i+1 < len(loc) && i/2 <= maxCaptures; i += 2 {
		if loc[i] < 0 {
			vm.capture("")
		} else {
			vm.capture(value[loc[i]:loc[i+1]])
		}
	}
	return true, nil
}
