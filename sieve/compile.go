package sieve

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// command is a compiled command. It returns a *Failure, an error of the host, or one of the control errors of run.go.
type command interface{ run(vm *machine) error }

// test is a compiled test.
type test interface {
	eval(vm *machine) (bool, error)
}

// compiler turns the generic syntax tree into commands and tests, and collects what is wrong.
type compiler struct {
	script   *Script
	limits   Limits
	problems []Problem
	failures int        // problems found, those beyond maxProblems too
	ihave    bool       // "ihave" is required: what is not available is an error only when it runs (RFC 5463 section 4)
	lazy     []lazyNeed // capabilities that the command being compiled needs and that only ihave may have made available
	loops    []string   // names of the foreverypart loops around, "" for one without
	regexes  int        // instructions of all regular expressions compiled so far
}

type lazyNeed struct {
	ext extension
	pos Pos
}

func (c *compiler) fail(pos Pos, format string, args ...any) {
	if c.failures++; c.failures <= maxProblems {
		c.problems = append(c.problems, Problem{pos, fmt.Sprintf(format, args...)})
	}
}

func (c *compiler) warn(pos Pos, format string, args ...any) {
	if len(c.script.warnings) < maxProblems {
		c.script.warnings = append(c.script.warnings, Problem{pos, fmt.Sprintf(format, args...)})
	}
}

// requirements takes the require commands off the beginning of a script (RFC 5228 section 3.2).
func (c *compiler) requirements(nodes []*node) []*node {
	for i, n := range nodes {
		if n.name != "require" {
			return nodes[i:]
		}
		if len(n.args) != 1 || n.args[0].kind != argString && n.args[0].kind != argList || len(n.tests) > 0 || n.hasBlock {
			c.fail(n.pos, `"require" takes one string or one list of strings, as in: require ["fileinto", "copy"];`)
			continue
		}
		for _, s := range n.args[0].strings {
			if c.failures < maxProblems {
				c.require(s)
			}
		}
	}
	return nil
}

func (c *compiler) require(s str) {
	ext := extension(s.text)
	if !c.script.allowed[ext] {
		if slices.Contains(allExtensions, ext) {
			c.fail(s.pos, "the extension %q is not allowed here", s.text)
		} else if near := nearest(s.text, allExtensions); near != "" {
			c.fail(s.pos, "there is no extension %q; did you mean %q?", s.text, near)
		} else {
			c.fail(s.pos, "there is no extension %q here", s.text)
		}
		return
	}
	if !slices.Contains(c.script.requires, s.text) {
		c.script.requires = append(c.script.requires, s.text)
	}
	c.script.required[ext] = true
	for _, implied := range impliedBy[ext] {
		c.script.required[implied] = true
	}
	if ext == extIhave {
		c.ihave = true
	}
}

// need notes that what stands at pos needs an extension; what is its name in the script.
func (c *compiler) need(ext extension, pos Pos, what string) {
	switch {
	case ext == "" || c.script.required[ext]:
	case c.ihave:
		c.lazy = append(c.lazy, lazyNeed{ext, pos})
	default:
		c.fail(pos, "%q needs `require %q;` at the beginning of the script", what, ext)
	}
}

// guarded is a command or test that may only run once ihave has found its extensions (RFC 5463 section 4).
type guarded struct {
	needs   []lazyNeed
	command command
	test    test
}

func (g *guarded) check(vm *machine) error {
	for _, n := range g.needs {
		if !vm.frame.available[n.ext] {
			return vm.failf(n.pos, "this needs the extension %q, which neither require nor a successful ihave made available", n.ext)
		}
	}
	return nil
}

func (g *guarded) run(vm *machine) error {
	if err := g.check(vm); err != nil {
		return err
	}
	return g.command.run(vm)
}

func (g *guarded) eval(vm *machine) (bool, error) {
	if err := g.check(vm); err != nil {
		return false, err
	}
	return g.test.eval(vm)
}

// unknown is a command or test that nobody knows, in a script with ihave.
type unknown struct {
	pos  Pos
	text string
}

func (u unknown) run(vm *machine) error          { return vm.failf(u.pos, "%s", u.text) }
func (u unknown) eval(vm *machine) (bool, error) { return false, vm.failf(u.pos, "%s", u.text) }

// step counts a command and says where the run is.
type step struct {
	pos Pos
	command
}

func (s step) run(vm *machine) error {
	vm.pos = s.pos
	if err := vm.charge(1); err != nil {
		return err
	}
	return s.command.run(vm)
}

// commands compiles a block.
func (c *compiler) commands(nodes []*node) []command {
	var out []command
	for i := 0; i < len(nodes); i++ {
		if c.failures >= maxProblems {
			return nil
		}
		n := nodes[i]
		switch n.name {
		case "if":
			end := i + 1
			for end < len(nodes) && (nodes[end].name == "elsif" || nodes[end].name == "else") {
				end++
				if nodes[end-1].name == "else" {
					break
				}
			}
			out = append(out, step{n.pos, c.ifChain(nodes[i:end])})
			i = end - 1
		case "elsif", "else":
			c.fail(n.pos, `%q must follow directly behind the block of an "if" or "elsif"`, n.name)
		case "require":
			c.fail(n.pos, `"require" must come before all other commands`)
		default:
			if cmd := c.command(n); cmd != nil {
				out = append(out, step{n.pos, cmd})
			}
			if i+1 < len(nodes) && (n.name == "stop" || n.name == "return" || n.name == "break" || n.name == "error") {
				c.warn(nodes[i+1].pos, "this is never reached: it stands behind %q", n.name)
			}
		}
	}
	return out
}

func (c *compiler) command(n *node) command {
	s, ok := commandSpecs[n.name]
	if !ok {
		return c.unknownCommand(n)
	}
	outer := c.lazy
	b := c.bind(n, s)
	defer func() { c.lazy = outer }()
	if b == nil {
		return nil
	}
	cmd := s.command(c, b)
	if needs := c.lazy[len(outer):]; len(needs) > 0 && cmd != nil {
		return &guarded{needs: slices.Clone(needs), command: cmd}
	}
	return cmd
}

func (c *compiler) test(n *node) test {
	s, ok := testSpecs[n.name]
	if !ok {
		return c.unknownTest(n)
	}
	outer := c.lazy
	b := c.bind(n, s)
	defer func() { c.lazy = outer }()
	if b == nil {
		return nil
	}
	t := s.test(c, b)
	if needs := c.lazy[len(outer):]; len(needs) > 0 && t != nil {
		return &guarded{needs: slices.Clone(needs), test: t}
	}
	return t
}

func (c *compiler) unknownCommand(n *node) command {
	text := fmt.Sprintf("there is no command %q", n.name)
	if _, ok := testSpecs[n.name]; ok {
		text = fmt.Sprintf("%q is a test, not a command: it belongs behind \"if\"", n.name)
	} else if near := c.nearest(n.name, commandSpecs); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	if c.ihave {
		return unknown{n.pos, text}
	}
	c.fail(n.pos, "%s", text)
	return nil
}

func (c *compiler) unknownTest(n *node) test {
	text := fmt.Sprintf("there is no test %q", n.name)
	if _, ok := commandSpecs[n.name]; ok {
		text = fmt.Sprintf("%q is a command, not a test", n.name)
	} else if near := c.nearest(n.name, testSpecs); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	if c.ihave {
		return unknown{n.pos, text}
	}
	c.fail(n.pos, "%s", text)
	return nil
}

// nearest returns the command or test that a misspelt one was probably meant to be. In a script with ihave nobody is told.
func (c *compiler) nearest(name string, specs map[string]*spec) string {
	if c.ihave {
		return ""
	}
	return nearest(name, slices.Sorted(maps.Keys(specs)))
}

// nearest returns the name that a misspelt one was probably meant to be, "" when none is near.
func nearest[T ~string](name string, names []T) string {
	best, bestDistance := "", 3
	if len(name) < 5 {
		bestDistance = 2
	}
	if len(name) > 40 {
		return ""
	}
	for _, n := range names {
		if d := editDistance(asciiLower(name), string(n)); d < bestDistance {
			best, bestDistance = string(n), d
		}
	}
	return best
}

// editDistance is the number of letters to insert, drop or change.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// orList returns names as a person lists them: "a", "b" or "c".
func orList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}
