package sieve

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text is a string of a script with its variables. The zero text is "".
type text struct {
	pos     Pos
	literal string     // when there are no parts
	parts   []textPart // literals and references
	// variants is set in a script with ihave, when the string reads differently with extensions that may become available:
	// by encoded-character (1) and variables (2).
	variants *[4]text
}

// textPart is a literal or a reference.
type textPart struct {
	literal string
	ref     bool
	index   int    // of a match variable, -1 for a named one
	name    string // lower case; "global." in front of one in that namespace
}

// text compiles a string: encoded characters (RFC 5228 section 2.4.2.4) first, variables (RFC 5229 section 3) after them.
func (c *compiler) text(s str) text {
	encoded, variables := c.script.required[extEncodedCharacter], c.script.required[extVariables]
	if !c.ihave || !strings.Contains(s.text, "${") {
		return c.textAs(s, encoded, variables)
	}
	t := text{pos: s.pos, variants: new([4]text)}
	for i := range t.variants {
		t.variants[i] = c.textAs(s, encoded || i&1 != 0, variables || i&2 != 0)
	}
	return t
}

func (c *compiler) texts(a argument) []text {
	out := make([]text, len(a.strings))
	for i, s := range a.strings {
		out[i] = c.text(s)
	}
	return out
}

// textOf compiles the string a tag or position has; an argument that is not there gives "".
func (c *compiler) textOf(a argument) text {
	if len(a.strings) == 0 {
		return text{}
	}
	return c.text(a.strings[0])
}

func (c *compiler) textAs(s str, encoded, variables bool) text {
	value := s.text
	if encoded {
		var bad string
		if value, bad = decodeCharacters(value); bad != "" {
			c.fail(s.pos, "%q in this string is not a Unicode character", bad)
		}
	}
	t := text{pos: s.pos, literal: value}
	if !variables || !strings.Contains(value, "${") {
		return t
	}
	rest := value
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			break
		}
		end := i + 2
		for end < len(rest) && (isLetter(rest[end]) || isDigit(rest[end]) || rest[end] == '.') {
			end++
		}
		part, ok := textPart{}, false
		if end < len(rest) && rest[end] == '}' {
			part, ok = c.reference(s.pos, rest[i+2:end])
		}
		if !ok {
			// Not a reference: RFC 5229 section 3 leaves it as it stands.
			t.add(rest[:i+2])
			rest = rest[i+2:]
			continue
		}
		t.add(rest[:i])
		t.parts = append(t.parts, part)
		rest = rest[end+1:]
	}
	if len(t.parts) == 0 || len(t.parts) == 1 && !t.parts[0].ref {
		t.parts = nil
		return t
	}
	t.add(rest)
	t.literal = ""
	return t
}

// add appends a literal.
func (t *text) add(s string) {
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && !t.parts[n-1].ref {
		t.parts[n-1].literal += s
		return
	}
	t.parts = append(t.parts, textPart{literal: s})
}

// reference reads what stands between "${" and "}".
func (c *compiler) reference(pos Pos, name string) (textPart, bool) {
	if name == "" {
		return textPart{}, false
	}
	if isDigit(name[0]) {
		n, err := strconv.Atoi(name)
		if strings.Trim(name, "0123456789") != "" {
			return textPart{}, false
		}
		if err != nil {
			n = maxCaptures + 1
		}
		return textPart{ref: true, index: n}, true
	}
	name = asciiLower(name)
	if namespace, base, ok := strings.Cut(name, "."); ok {
		if !validVariable(namespace) || !validVariable(base) {
			return textPart{}, false
		}
		if namespace != "global" || !c.script.required[extInclude] && !c.ihave {
			c.fail(pos, "there is no namespace %q for variables here", namespace)
		}
	} else if !validVariable(name) {
		return textPart{}, false
	}
	return textPart{ref: true, index: -1, name: name}, true
}

// validVariable reports whether name is an identifier.
func validVariable(name string) bool {
	if name == "" || !isLetter(name[0]) {
		return false
	}
	for i := range len(name) {
		if !isLetter(name[i]) && !isDigit(name[i]) {
			return false
		}
	}
	return true
}

// constant reports whether the text is the same in every run, and returns it.
func (t text) constant() (string, bool) { return t.literal, t.parts == nil && t.variants == nil }

// get returns the text with its variables.
func (t *text) get(vm *machine) string {
	if t.variants != nil {
		i := 0
		if vm.frame.available[extEncodedCharacter] {
			i |= 1
		}
		if vm.frame.available[extVariables] {
			i |= 2
		}
		return t.variants[i].get(vm)
	}
	if t.parts == nil {
		return t.literal
	}
	if len(t.parts) == 1 {
		return cutString(vm.lookup(&t.parts[0]), vm.limits.ExpandedSize)
	}
	var out strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		s := p.literal
		if p.ref {
			s = vm.lookup(p)
		}
		if room := vm.limits.ExpandedSize - out.Len(); len(s) > room {
			out.WriteString(cutString(s, room))
			break
		}
		out.WriteString(s)
	}
	vm.steps -= out.Len() / bytesPerStep
	return out.String()
}

// getAll returns the texts with their variables.
func getAll(vm *machine, texts []text) []string {
	out := make([]string, len(texts))
	for i := range texts {
		out[i] = texts[i].get(vm)
	}
	return out
}

// cutString returns at most n bytes of s, whole characters.
func cutString(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// decodeCharacters replaces ${hex:...} and ${unicode:...}. bad is the first sequence that names no Unicode character.
func decodeCharacters(s string) (out, bad string) {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			break
		}
		seq := s[i : i+end+1]
		decoded, ok, invalid := decodeSequence(seq[2 : len(seq)-1])
		if invalid && bad == "" {
			bad = seq
		}
		if !ok {
			b.WriteString(s[:i+1])
			s = s[i+1:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteString(decoded)
		s = s[i+end+1:]
	}
	b.WriteString(s)
	return b.String(), bad
}

// decodeSequence reads what stands between "${" and "}"; ok is false when it is no encoded character.
func decodeSequence(s string) (out string, ok, invalid bool) {
	kind, values, found := strings.Cut(s, ":")
	kind = asciiLower(kind)
	if !found || kind != "hex" && kind != "unicode" {
		return "", false, false
	}
	fields := strings.FieldsFunc(values, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	if len(fields) == 0 {
		return "", false, false
	}
	var b []byte
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 16, 32)
		switch {
		case strings.Trim(f, "0123456789abcdefABCDEF") != "":
			return "", false, false
		case kind == "hex":
			if len(f) > 2 {
				return "", false, false
			}
			b = append(b, byte(n))
		case err != nil || n > utf8.MaxRune || n >= 0xd800 && n < 0xe000:
			return "", false, true
		default:
			b = utf8.AppendRune(b, rune(n))
		}
	}
	return string(b), true, false
}
