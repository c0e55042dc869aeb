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
	if vm.in.Event != nil { // RFC 6785 section 3.8: there is nothing to reject any more
		return vm.failf(vm.pos, `"reject" cannot be used when an IMAP event starts the script`)
	}
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
	m, err := vm.doc.message()
	if err != nil {
		return err
	}
	vm.keeps = false
	vm.reject = &Reject{
		Origin: vm.origin(), Reason: r.reason.get(vm), Extended: r.extended, Sender: vm.in.Envelope.From, To: vm.in.Envelope.To,
		Original: original, Message: m,
	}
	return vm.add(vm.reject)
}
