package sieve

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

func init() {
	commandSpecs["include"] = &spec{
		ext: extInclude, args: []argKind{argString}, usage: `include [:personal / :global] [:once] [:optional] <script>;`,
		tags: []tagSpec{
			{name: "personal", group: "location"}, {name: "global", group: "location"}, {name: "once"}, {name: "optional"},
		},
		command: func(c *compiler, b *bound) command {
			out := &includeCommand{name: c.textOf(b.pos[0]), once: b.has("once"), optional: b.has("optional")}
			if b.has("global") {
				out.location = IncludeGlobal
			}
			if _, ok := out.name.constant(); !ok {
				c.fail(b.pos[0].pos, "the name of an included script must not have variables in it") // RFC 6609 section 3.2
			}
			return out
		},
	}
	commandSpecs["return"] = &spec{ext: extInclude, usage: `return;`,
		command: func(*compiler, *bound) command { return returnCommand{} }}
	commandSpecs["global"] = &spec{
		ext: extInclude, args: []argKind{argList}, usage: `global <variables>;`,
		command: func(c *compiler, b *bound) command {
			c.need(extVariables, b.node.pos, "global")
			out := &globalCommand{}
			for _, s := range b.pos[0].strings {
				name := c.variableName(s)
				if strings.Contains(name, ".") {
					c.fail(s.pos, `the name of a variable for "global" has no namespace`)
				}
				out.names = append(out.names, name)
			}
			return out
		},
	}
}

type includeCommand struct {
	name           text
	location       IncludeLocation
	once, optional bool
}

func (i *includeCommand) run(vm *machine) error {
	name := i.name.get(vm)
	key := string(rune('0'+i.location)) + name
	if i.once && vm.included[key] {
		return nil
	}
	if vm.includes++; vm.includes > vm.limits.Includes {
		return vm.failf(vm.pos, "more than %d scripts are included", vm.limits.Includes)
	}
	if err := vm.charge(hostSteps); err != nil {
		return err
	}
	s, err := vm.host.Include(vm.ctx, i.location, name)
	if wrong := (*CompileError)(nil); errors.As(err, &wrong) {
		return vm.failf(vm.pos, "the included script %q is wrong: %v", name, wrong.Problems[0])
	}
	if err != nil && !mailerr.Is(err, mailerr.NotFound) {
		return hostError("Include", err)
	}
	if s == nil || err != nil {
		if i.optional {
			return nil
		}
		return vm.failf(vm.pos, "there is no script %q to include", name)
	}
	if slices.ContainsFunc(vm.stack, func(other *Script) bool { return s == other || s.name != "" && s.name == other.name }) {
		if i.once { // it counts as included: RFC 6609 section 3.2
			return nil
		}
		return vm.failf(vm.pos, "the script %q includes itself", s.name)
	}
	return vm.include(s, key)
}

// include runs a script in a scope of its own; its "stop" ends everything, its "return" and its end only itself.
// Inside of foreverypart its tests take the part for the message (RFC 6609 section 3.5); actions are about the message.
func (vm *machine) include(s *Script, key string) error {
	if len(vm.stack) > vm.limits.IncludeDepth {
		return vm.failf(vm.pos, "scripts include one another more than %d deep", vm.limits.IncludeDepth)
	}
	if vm.included == nil {
		vm.included = map[string]bool{}
	}
	vm.included[key] = true
	script, frame, pos, loops, view := vm.script, vm.frame, vm.pos, vm.loops, vm.view
	if n := len(loops); n > 0 {
		if vm.view = loops[n-1].current; vm.view == vm.doc.root {
			vm.view = nil
		}
	}
	vm.script, vm.frame, vm.loops = s, newFrame(s), nil
	vm.stack = append(vm.stack, s)
	err := vm.applicable()
	if err == nil {
		err = vm.block(s.commands)
	}
	vm.stack = vm.stack[:len(vm.stack)-1]
	vm.script, vm.frame, vm.pos, vm.loops, vm.view = script, frame, pos, loops, view
	if errors.Is(err, errReturn) {
		return nil
	}
	return err
}

type returnCommand struct{}

func (returnCommand) run(*machine) error { return errReturn }

type globalCommand struct{ names []string }

func (g *globalCommand) run(vm *machine) error {
	global := maps.Clone(vm.frame.global)
	if global == nil {
		global = map[string]bool{}
	}
	for _, name := range g.names {
		if _, set := vm.frame.variables[name]; set && !global[name] { // RFC 6609 section 3.4.1
			return vm.failf(vm.pos, `the variable %q was set before "global" names it`, name)
		}
		global[name] = true
	}
	if len(global) > vm.limits.Variables {
		return vm.failf(vm.pos, "the script has more than %d variables", vm.limits.Variables)
	}
	vm.frame.global = global
	return nil
}
