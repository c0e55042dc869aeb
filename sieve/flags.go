package sieve

import (
	"slices"
	"strings"
)

// systemFlags are the flags with a backslash that a script may set (RFC 5232 section 2.1).
var systemFlags = []string{`\Answered`, `\Flagged`, `\Deleted`, `\Seen`, `\Draft`}

// maxFlags is how many flags a message gets; what is beyond is dropped.
const maxFlags = 64

// parseFlags returns the flags in strings that may hold several each, separated by spaces: valid ones, none twice.
func parseFlags(lists []string) []string {
	var out []string
	for _, list := range lists {
		for f := range strings.FieldsSeq(list) {
			if len(out) >= maxFlags {
				return out
			}
			if f, ok := canonicalFlag(f); ok && !hasFlag(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// canonicalFlag returns a system flag as RFC 9051 spells it, a keyword as it is; ok is false for what cannot be set.
func canonicalFlag(f string) (string, bool) {
	if strings.HasPrefix(f, `\`) {
		for _, s := range systemFlags {
			if asciiEqualFold(s, f) {
				return s, true
			}
		}
		return "", false
	}
	return f, len(f) <= 255 && validKeyword(f)
}

// validKeyword reports whether s is an atom of IMAP.
func validKeyword(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`(){%*"\]`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

func hasFlag(flags []string, f string) bool {
	return slices.ContainsFunc(flags, func(other string) bool { return asciiEqualFold(other, f) })
}

// mergeFlags returns the flags of a and of b in a new slice.
func mergeFlags(a, b []string) []string { return parseFlags(slices.Concat(a, b)) }

// flagsArg is the ":flags" argument; a nil one means the internal variable (RFC 5232 section 4).
type flagsArg struct{ flags []text }

func (c *compiler) flagsArg(b *bound) *flagsArg {
	given, ok := b.tags["flags"]
	if !ok {
		return nil
	}
	return &flagsArg{c.texts(given.value)}
}

func (f *flagsArg) get(vm *machine) []string {
	if f == nil {
		return slices.Clone(vm.flags)
	}
	return parseFlags(getAll(vm, f.flags))
}

func init() {
	for _, name := range []string{"setflag", "addflag", "removeflag"} {
		commandSpecs[name] = &spec{
			ext: extImap4flags, args: []argKind{argString, argList}, least: 1, usage: name + ` [<variable>] <flags>;`,
			command: func(c *compiler, b *bound) command {
				out := &flagCommand{kind: name}
				if v, ok := b.arg(0); ok {
					c.need(extVariables, v.pos, "a variable for flags")
					out.variable = c.variableName(v.strings[0])
				}
				flags, _ := b.arg(1)
				out.flags = c.texts(flags)
				return out
			},
		}
	}
	testSpecs["hasflag"] = &spec{
		ext: extImap4flags, args: []argKind{argList, argList}, least: 1, tags: tags(comparatorTags, matchTags),
		usage: `hasflag [:is / :contains / :matches] [<variables>] <flags>`,
		test: func(c *compiler, b *bound) test {
			out := &hasflagTest{}
			if v, ok := b.arg(0); ok {
				c.need(extVariables, v.pos, "a variable for flags")
				for _, s := range v.strings {
					out.variables = append(out.variables, c.variableName(s))
				}
			}
			keys, _ := b.arg(1)
			if m, _ := b.group("match"); m == "" || m == "is" || m == "contains" {
				keys.strings = splitFlags(keys.strings)
			}
			out.match = c.matcher(b, keys)
			return out
		},
	}
}

// splitFlags makes a key of each flag (RFC 5232 section 2: a string may hold several).
func splitFlags(keys []str) []str {
	var out []str
	for _, s := range keys {
		fields := strings.Fields(s.text)
		if len(fields) < 2 || strings.Contains(s.text, "${") {
			out = append(out, s)
			continue
		}
		for _, f := range fields {
			out = append(out, str{s.pos, f})
		}
	}
	return out
}

type flagCommand struct {
	kind     string
	variable string // "" for the internal one
	flags    []text
}

func (f *flagCommand) run(vm *machine) error {
	flags := parseFlags(getAll(vm, f.flags))
	current := vm.flags
	if f.variable != "" {
		current = parseFlags([]string{vm.variable(f.variable)})
	}
	switch f.kind {
	case "addflag":
		flags = mergeFlags(current, flags)
	case "removeflag":
		flags = slices.DeleteFunc(slices.Clone(current), func(c string) bool { return hasFlag(flags, c) })
	}
	if err := vm.charge(1 + len(current) + len(flags)); err != nil {
		return err
	}
	if f.variable != "" {
		return vm.setVariable(f.variable, strings.Join(flags, " "))
	}
	vm.flags = flags
	return nil
}

type hasflagTest struct {
	variables []string
	match     *matcher
}

func (t *hasflagTest) eval(vm *machine) (bool, error) {
	values := vm.flags
	if t.variables != nil {
		values = nil
		for _, name := range t.variables {
			values = append(values, parseFlags([]string{vm.variable(name)})...)
		}
	}
	return t.match.any(vm, values)
}
