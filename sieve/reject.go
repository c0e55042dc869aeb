package sieve

func init() {
	for name, ext := range map[string]extension{"reject": extReject, "ereject": extEreject} {
		commandSpecs[name] = &spec{
			ext: ext, args: []argKind{argString}, usage: name + ` <reason>;`,
			command: func(c *compiler, b *bound) command {
				return &rejectCommand{c.textOf(b.pos[0]), name == "ereject"}
			},
		}
	}
}

type rejectCommand struct {
	reason   text
	extended bool
}

func (r *rejectCommand) run(vm *machine) error {
	if vm.reject != nil {
		return vm.failf(vm.pos, "the message is rejected twice")
	}
	if vm.keep != nil {
		return vm.failf(vm.pos, `"reject" cannot be combined with "keep"`)
	}
	if vm.answered {
		return vm.failf(vm.pos, `"reject" cannot be combined with "vacation"`)
	}
	for _, a := range vm.actions[vm.scriptStart:] {
		switch a.(type) {
		case *FileInto:
			return vm.failf(vm.pos, `"reject" cannot be combined with "fileinto"`)
		case *Redirect:
			return vm.failf(vm.pos, `"reject" cannot be combined with "redirect"`)
		}
	}
	original, err := vm.original()
	if err != nil {
		return err
	}
	vm.keeps = false
	vm.reject = &Reject{
		Origin: vm.origin(), Reason: r.reason.get(vm), Extended: r.extended, Sender: vm.in.Envelope.From, To: vm.in.Envelope.To,
		// No edit has an effect on what the report returns (RFC 5429 section 2.4).
		Original: original, Message: originalMessage(vm.in.Message, vm.in.Size),
	}
	return vm.add(vm.reject)
}
