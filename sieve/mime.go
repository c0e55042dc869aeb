package sieve

import (
	"errors"
	"slices"
	"strings"
)

// loop is a foreverypart that runs.
type loop struct {
	current *part
}

// currentPart returns the part of the innermost loop, what the script takes for the message outside of any.
func (vm *machine) currentPart() (*part, error) {
	if n := len(vm.loops); n > 0 {
		return vm.loops[n-1].current, nil
	}
	return vm.viewRoot()
}

// viewRoot returns what the script takes for the message: inside of a loop too.
func (vm *machine) viewRoot() (*part, error) {
	if vm.view != nil {
		return vm.view, nil
	}
	return vm.doc.parts()
}

func init() {
	commandSpecs["foreverypart"] = &spec{
		ext: extForeverypart, tags: []tagSpec{{name: "name", arg: argString}}, block: true,
		usage: `foreverypart [:name <name>] { ... }`,
		command: func(c *compiler, b *bound) command {
			out := &foreverypartCommand{}
			if t, ok := b.tags["name"]; ok {
				out.name = t.value.strings[0].text
			}
			c.loops = append(c.loops, out.name)
			out.block = c.commands(b.block)
			c.loops = c.loops[:len(c.loops)-1]
			return out
		},
	}
	commandSpecs["break"] = &spec{
		ext: extForeverypart, tags: []tagSpec{{name: "name", arg: argString}}, usage: `break [:name <name>];`,
		command: func(c *compiler, b *bound) command {
			if len(c.loops) == 0 {
				c.fail(b.node.pos, `"break" belongs inside of "foreverypart"`)
				return nil
			}
			t, ok := b.tags["name"]
			if !ok {
				return &breakCommand{&breakError{}}
			}
			name := t.value.strings[0].text
			if !slices.Contains(c.loops, name) || name == "" {
				c.fail(t.value.pos, `no "foreverypart" around this "break" has the name %q`, name)
			}
			return &breakCommand{&breakError{name}}
		},
	}
	commandSpecs["extracttext"] = &spec{
		ext: extExtracttext, args: []argKind{argString}, tags: tags([]tagSpec{{name: "first", arg: argNumber}}, modifierTags),
		usage: `extracttext [:first <number>] [:lower / ...] <variable>;`,
		command: func(c *compiler, b *bound) command {
			c.need(extVariables, b.node.pos, "extracttext")
			if len(c.loops) == 0 {
				c.fail(b.node.pos, `"extracttext" belongs inside of "foreverypart"`)
			}
			out := &extracttextCommand{name: c.variableName(b.pos[0].strings[0]), first: -1, modifiers: c.modifiers(b)}
			if t, ok := b.tags["first"]; ok {
				out.first = clampInt(t.value.number)
			}
			return out
		},
	}
}

// foreverypartCommand runs a block for every part (RFC 5703 section 3): the message itself first, then the parts in their
// order, each before the parts in it. Inside of another loop it runs for the parts in that loop's part.
type foreverypartCommand struct {
	name  string
	block []command
}

func (f *foreverypartCommand) run(vm *machine) error {
	outer := len(vm.loops)
	root, err := vm.currentPart()
	if err != nil {
		return err
	}
	defer func() { vm.loops = vm.loops[:outer] }()
	vm.loops = append(vm.loops, &loop{})
	document := vm.doc.root
	err = root.walk(func(p *part) error {
		if outer > 0 && p == root {
			return nil
		}
		if err := vm.charge(1); err != nil {
			return err
		}
		vm.loops[outer].current = p
		err := vm.block(f.block)
		if err == nil && (vm.doc.root != document || p.removed) {
			return &breakError{} // the message was replaced as a whole: its parts are no more
		}
		return err
	})
	var b *breakError
	if errors.As(err, &b) && (b.name == "" || b.name == f.name) {
		return nil
	}
	return err
}

type breakCommand struct{ err *breakError }

func (b *breakCommand) run(*machine) error { return b.err }

// extracttextCommand puts the text of the current part into a variable (RFC 5703 section 7).
type extracttextCommand struct {
	name      string
	first     int // characters, -1 for all
	modifiers []string
}

func (e *extracttextCommand) run(vm *machine) error {
	p, err := vm.currentPart()
	if err != nil {
		return err
	}
	value := ""
	if p.IsText() {
		if value, err = vm.doc.text(p, bodyContent); err != nil {
			return err
		}
		value = strings.ToValidUTF8(value, "\ufffd")
	}
	if e.first >= 0 {
		n := 0
		for i := range value {
			if n == e.first {
				value = value[:i]
				break
			}
			n++
		}
	}
	value = cutString(value, vm.limits.VariableSize)
	for _, m := range e.modifiers {
		value = modify(m, value)
	}
	if err := vm.charge(len(value) / bytesPerStep); err != nil {
		return err
	}
	return vm.setVariable(e.name, value)
}
