package sieve

import "slices"

func init() {
	testSpecs["ihave"] = &spec{
		ext: extIhave, args: []argKind{argList}, usage: `ihave <capabilities>`,
		test: func(c *compiler, b *bound) test {
			out := &ihaveTest{}
			for _, s := range b.pos[0].strings {
				out.names = append(out.names, extension(s.text)) // constant strings: RFC 5463 section 4
				if ext := extension(s.text); len(c.script.warnings) < maxProblems && !c.script.allowed[ext] && !slices.Contains(allExtensions, ext) {
					if near := nearest(s.text, allExtensions); near != "" {
						c.warn(s.pos, "there is no extension %q; did you mean %q?", s.text, near)
					}
				}
			}
			return out
		},
	}
	commandSpecs["error"] = &spec{
		ext: extIhave, args: []argKind{argString}, usage: `error <message>;`,
		command: func(c *compiler, b *bound) command { return &errorCommand{c.textOf(b.pos[0])} },
	}
}

type ihaveTest struct{ names []extension }

func (t *ihaveTest) eval(vm *machine) (bool, error) {
	for _, name := range t.names {
		if !vm.script.allowed[name] {
			return false, nil
		}
	}
	for _, name := range t.names {
		vm.makeAvailable(name)
	}
	return true, vm.applicable()
}

// errorCommand ends the script with a failure of its own words (RFC 5463 section 5).
type errorCommand struct{ message text }

func (e *errorCommand) run(vm *machine) error {
	return vm.failf(vm.pos, "%s", cutString(e.message.get(vm), 1000))
}
