package sieve

import "strings"

func init() {
	testSpecs["environment"] = &spec{
		ext: extEnvironment, args: []argKind{argString, argList}, tags: tags(comparatorTags, matchTags),
		usage: `environment [:is / :contains / :matches] <name> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &environmentTest{c.textOf(b.pos[0]), c.matcher(b, b.pos[1])}
		},
	}
}

type environmentTest struct {
	name  text
	match *matcher
}

// eval is false for an item that nobody knows; an empty one is none for ":count" (RFC 5183 section 4).
func (t *environmentTest) eval(vm *machine) (bool, error) {
	value, ok := vm.environment(asciiLower(t.name.get(vm)))
	if !ok {
		return false, nil
	}
	if t.match.kind == matchCount && value == "" {
		return t.match.any(vm, nil)
	}
	return t.match.any(vm, []string{value})
}

// environment returns an item: of the event if there is one (RFC 6785 section 4), where its own items are empty at a delivery.
func (vm *machine) environment(name string) (string, bool) {
	e := vm.in.Event
	if e != nil {
		switch name {
		case "location":
			return "MS", true
		case "phase":
			return "post", true
		}
	} else {
		e = &Event{}
	}
	switch name {
	case "imap.cause":
		return e.Cause, true
	case "imap.mailbox":
		return e.Mailbox, true
	case "imap.user":
		return e.User, true
	case "imap.email":
		return e.Email, true
	case "imap.changedflags":
		return strings.Join(e.ChangedFlags, " "), true
	}
	value, ok := vm.in.Environment[name]
	return value, ok
}
