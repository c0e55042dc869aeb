package sieve

import (
	"errors"
)

// The extension extlists (RFC 6134): the match type ":list", the test valid_ext_list, and redirect ":list".

func init() {
	testSpecs["valid_ext_list"] = &spec{
		ext: extExtlists, args: []argKind{argList}, usage: `valid_ext_list <lists>`,
		test: func(c *compiler, b *bound) test { return &validListTest{c.texts(b.pos[0])} },
	}
}

// ListError is what Host.List returns for a list that cannot be read, for a reason that trying again does not mend: the script
// ends with a Failure.
type ListError struct{ Text string } // for the script's owner

// Error returns the text.
func (e *ListError) Error() string { return e.Text }

// knownList is what the host answered.
type knownList struct {
	list     *List // nil: there is none
	redirect bool
}

// list returns the list of a canonical name; the host is asked once in a run.
func (vm *machine) list(pos Pos, name string) (knownList, error) {
	if known, ok := vm.lists[name]; ok {
		return known, vm.charge(1)
	}
	if err := vm.charge(hostSteps); err != nil {
		return knownList{}, err
	}
	list, redirect, err := vm.host.List(vm.ctx, name)
	var unreadable *ListError
	if errors.As(err, &unreadable) {
		return knownList{}, vm.failf(pos, "the list %q cannot be read: %s", cutString(name, 100), unreadable.Text)
	}
	if err != nil {
		return knownList{}, hostError("List", err)
	}
	if vm.lists == nil {
		vm.lists = map[string]knownList{}
	}
	vm.lists[name] = knownList{list, redirect}
	return vm.lists[name], nil
}

// validListTest is valid_ext_list (RFC 6134 section 2.7).
type validListTest struct{ names []text }

func (t *validListTest) eval(vm *machine) (bool, error) {
	for i := range t.names {
		name, ok := CanonicalList(t.names[i].get(vm))
		if !ok {
			return false, vm.charge(1)
		}
		if known, err := vm.list(t.names[i].pos, name); err != nil || known.list == nil {
			return false, err
		}
	}
	return true, nil
}

// listProblem says what is wrong with a list's name that a script has.
func listProblem(name string) error {
	return errors.New(quoted(cutString(name, 100)) + ` names no list; a name is a URI such as "tag:example.org,2026:friends", or ":addrbook:default"`)
}

// anyList reports whether a list contains one of the values (RFC 6134 section 2.2). What is equal is the lists' matter, there is
// no comparator. A list that does not exist ends the script with a Failure: it cannot be asked.
func (m *matcher) anyList(vm *machine, values []string) (bool, error) {
	lists := make([]*List, 0, len(m.keys))
	for i := range m.keys {
		k := &m.keys[i]
		name, ok := k.value, k.ready
		if !ok {
			name, ok = CanonicalList(k.text.get(vm))
		}
		if !ok {
			return false, vm.failf(k.text.pos, "%v", listProblem(k.text.get(vm)))
		}
		known, err := vm.list(k.text.pos, name)
		if err != nil {
			return false, err
		}
		if known.list == nil {
			return false, vm.noList(k.text.pos, name)
		}
		lists = append(lists, known.list)
	}
	for _, value := range values {
		for _, l := range lists {
			if err := vm.charge(1 + len(value)/8); err != nil {
				return false, err
			}
			member, ok := l.Find(value)
			if !ok {
				continue
			}
			if !m.noCapture {
				vm.frame.captures = vm.frame.captures[:0]
				vm.capture(member)
			}
			return true, nil
		}
	}
	return false, nil
}

func (vm *machine) noList(pos Pos, name string) error {
	return vm.failf(pos, "there is no list %q", cutString(name, 100))
}

// redirectList sends the message to the addresses of a list, each once (RFC 6134 section 2.3). They count as redirects each. To a
// list without addresses there is nothing to send, and the implicit keep stays.
func (vm *machine) redirectList(r *redirectCommand, m *Message) error {
	given := r.address.get(vm)
	name, ok := CanonicalList(given)
	if !ok {
		return vm.failf(r.address.pos, "%v", listProblem(given))
	}
	known, err := vm.list(r.address.pos, name)
	switch {
	case err != nil:
		return err
	case known.list == nil:
		return vm.noList(r.address.pos, given)
	case !known.redirect:
		return vm.failf(r.address.pos, "nothing may be redirected to the list %q", cutString(given, 100))
	}
	addresses := known.list.Addresses()
	if len(addresses) > vm.limits.Redirects {
		return vm.failf(r.address.pos, "the list %q has %d addresses, and a script may redirect to %d", cutString(given, 100), len(addresses), vm.limits.Redirects)
	}
	for _, address := range addresses {
		if err := vm.addRedirect(&Redirect{Origin: vm.origin(), Address: address, List: name, Copy: r.copy, Message: m}); err != nil {
			return err
		}
	}
	if len(addresses) > 0 && !r.copy {
		vm.keeps = false
	}
	return nil
}
