package sieve

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// modifierTags are the modifiers of a set; the groups are their precedence (RFC 5229 section 4.1).
var modifierTags = []tagSpec{
	{name: "lower", group: "40"}, {name: "upper", group: "40"},
	{name: "lowerfirst", group: "30"}, {name: "upperfirst", group: "30"},
	{name: "quotewildcard", group: "20"}, {name: "quoteregex", ext: extRegex, group: "20"},
	{name: "encodeurl", ext: extEnotify, group: "15"},
	{name: "length", group: "10"},
}

func init() {
	commandSpecs["set"] = &spec{
		ext: extVariables, args: []argKind{argString, argString}, usage: `set [:lower / :upper / ...] <name> <value>;`,
		tags: modifierTags,
		command: func(c *compiler, b *bound) command {
			out := &setCommand{name: c.variableName(b.pos[0].strings[0]), value: c.textOf(b.pos[1])}
			out.modifiers = c.modifiers(b)
			return out
		},
	}
	testSpecs["string"] = &spec{
		ext: extVariables, args: []argKind{argList, argList}, tags: tags(comparatorTags, matchTags),
		usage: `string [:is / :contains / :matches] <source> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &stringTest{c.texts(b.pos[0]), c.matcher(b, b.pos[1])}
		},
	}
}

// modifiers returns the modifiers of a set in the order in which they apply (RFC 5229 section 4.1).
func (c *compiler) modifiers(b *bound) []string {
	var out []string
	for _, precedence := range []string{"40", "30", "20", "15", "10"} {
		if m, _ := b.group(precedence); m != "" {
			out = append(out, m)
		}
	}
	return out
}

// variableName reads the name of a variable that is set; it is in lower case, with "global." before one of that namespace.
func (c *compiler) variableName(s str) string {
	name := asciiLower(s.text)
	if base, ok := strings.CutPrefix(name, "global."); ok && validVariable(base) {
		c.need(extInclude, s.pos, s.text)
		return name
	}
	if !validVariable(name) {
		c.fail(s.pos, "%q cannot be the name of a variable that is set", s.text)
	} else if len(name) > 64 {
		c.fail(s.pos, "the name of the variable is longer than 64 letters")
	}
	return name
}

// variable returns the value of a named variable.
func (vm *machine) variable(name string) string {
	if base, ok := strings.CutPrefix(name, "global."); ok {
		return vm.globals[base]
	}
	if vm.frame.global[name] {
		return vm.globals[name]
	}
	return vm.frame.variables[name]
}

// setVariable sets a named variable.
func (vm *machine) setVariable(name, value string) error {
	value = cutString(value, vm.limits.VariableSize)
	scope := &vm.frame.variables
	if base, ok := strings.CutPrefix(name, "global."); ok {
		scope, name = &vm.globals, base
	} else if vm.frame.global[name] {
		scope = &vm.globals
	}
	if *scope == nil {
		*scope = map[string]string{}
	}
	if _, ok := (*scope)[name]; !ok && len(*scope) >= vm.limits.Variables {
		return vm.failf(vm.pos, "the script has more than %d variables", vm.limits.Variables)
	}
	(*scope)[name] = strings.Clone(value)
	return nil
}

type setCommand struct {
	name      string
	value     text
	modifiers []string
}

func (s *setCommand) run(vm *machine) error {
	value := s.value.get(vm)
	if err := vm.charge(len(value) * (1 + len(s.modifiers)) / bytesPerStep); err != nil {
		return err
	}
	for _, m := range s.modifiers {
		value = modify(m, value)
	}
	return vm.setVariable(s.name, value)
}

// modify applies a modifier.
func modify(modifier, s string) string {
	switch modifier {
	case "lower":
		return strings.ToLower(s)
	case "upper":
		return strings.ToUpper(s)
	case "lowerfirst", "upperfirst":
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError {
			return s
		}
		if modifier == "lowerfirst" {
			return string(unicode.ToLower(r)) + s[n:]
		}
		return string(unicode.ToUpper(r)) + s[n:]
	case "quotewildcard":
		return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(s)
	case "quoteregex":
		return quoteRegex(s)
	case "encodeurl":
		return encodeURL(s)
	default:
		return strconv.Itoa(utf8.RuneCountInString(s))
	}
}

// encodeURL encodes all but unreserved characters (RFC 5435 section 6).
func encodeURL(s string) string {
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if isDigit(c) || isLetter(c) || c == '-' || c == '.' || c == '~' {
			out.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

type stringTest struct {
	source []text
	match  *matcher
}

// eval compares the sources; for ":count" only those that are not empty count (RFC 5229 section 5).
func (t *stringTest) eval(vm *machine) (bool, error) {
	values := getAll(vm, t.source)
	if t.match.kind == matchCount {
		filled := values[:0]
		for _, v := range values {
			if v != "" {
				filled = append(filled, v)
			}
		}
		values = filled
	}
	return t.match.any(vm, values)
}
