package sieve

import (
	"slices"
	"unicode/utf8"
)

func init() {
	commandSpecs["keep"] = &spec{tags: flagsTags, usage: `keep [:flags <flags>];`,
		command: func(c *compiler, b *bound) command { return &keepCommand{c.flagsArg(b)} }}
	commandSpecs["discard"] = &spec{usage: `discard;`, command: func(*compiler, *bound) command { return discardCommand{} }}
	commandSpecs["fileinto"] = &spec{
		ext: extFileinto, args: []argKind{argString}, usage: `fileinto [:copy] [:create] [:flags <flags>] <mailbox>;`,
		tags:    tags([]tagSpec{{name: "copy", ext: extCopy}}, fccTags[1:]),
		command: compileFileinto,
	}
	commandSpecs["redirect"] = &spec{
		args: []argKind{argString}, usage: `redirect [:copy] <address>; or redirect [:copy] :list <list>;`,
		tags:    []tagSpec{{name: "copy", ext: extCopy}, {name: "list", ext: extExtlists}},
		command: compileRedirect,
	}
}

type keepCommand struct{ flags *flagsArg }

func (k *keepCommand) run(vm *machine) error {
	if vm.reject != nil {
		return vm.failf(vm.pos, `"keep" cannot be combined with "reject"`)
	}
	m, err := vm.doc.message()
	if err != nil {
		return err
	}
	flags := k.flags.get(vm)
	if vm.keep != nil {
		vm.keep.Flags = mergeFlags(vm.keep.Flags, flags)
		return nil
	}
	vm.keep = &Keep{Origin: vm.origin(), Message: m, Flags: flags}
	return nil
}

type discardCommand struct{}

func (discardCommand) run(vm *machine) error {
	vm.keeps = false
	for _, a := range vm.actions {
		if _, ok := a.(*Discard); ok {
			return nil
		}
	}
	return vm.add(&Discard{vm.origin()})
}

// mailboxArg is where a message goes: of fileinto and of ":fcc".
type mailboxArg struct {
	mailbox, mailboxID, specialUse text
	create                         bool
	flags                          *flagsArg
}

func (c *compiler) mailboxArg(b *bound, mailbox argument) mailboxArg {
	m := mailboxArg{mailbox: c.textOf(mailbox), create: b.has("create"), flags: c.flagsArg(b)}
	if len(mailbox.strings) > 0 {
		if name, ok := m.mailbox.constant(); ok && !validMailbox(name) {
			c.fail(mailbox.pos, "%q cannot be the name of a mailbox", name)
		}
	}
	if t, ok := b.tags["mailboxid"]; ok {
		m.mailboxID = c.textOf(t.value)
		if b.has("specialuse") { // RFC 9042 section 4.2
			c.fail(t.pos, `":mailboxid" and ":specialuse" exclude each other`)
		}
	}
	if t, ok := b.tags["specialuse"]; ok {
		m.specialUse = c.textOf(t.value)
		if use, ok := m.specialUse.constant(); ok && !validSpecialUse(use) {
			c.fail(t.pos, "%q is no special use; one looks like \"\\\\Archive\"", use)
		}
	}
	return m
}

// mailboxTarget is a mailboxArg with its variables.
type mailboxTarget struct {
	mailbox, mailboxID, specialUse string
	flags                          []string
}

func (m *mailboxArg) get(vm *machine) (t mailboxTarget, err error) {
	t = mailboxTarget{m.mailbox.get(vm), m.mailboxID.get(vm), m.specialUse.get(vm), m.flags.get(vm)}
	if !validMailbox(t.mailbox) {
		return t, vm.failf(m.mailbox.pos, "%q cannot be the name of a mailbox", cutString(t.mailbox, 100))
	}
	if t.specialUse != "" && !validSpecialUse(t.specialUse) {
		return t, vm.failf(m.specialUse.pos, "%q is no special use", cutString(t.specialUse, 100))
	}
	return t, nil
}

// validMailbox reports whether a name may be that of a mailbox; what exists is for the host to say.
func validMailbox(name string) bool {
	if name == "" || len(name) > 1024 || !utf8.ValidString(name) {
		return false
	}
	return !slices.ContainsFunc([]byte(name), func(c byte) bool { return c < ' ' || c == 0x7f })
}

// validSpecialUse reports whether s is a use attribute (RFC 6154 section 6).
func validSpecialUse(s string) bool {
	return len(s) > 1 && len(s) <= 64 && s[0] == '\\' && validKeyword(s[1:])
}

type fileintoCommand struct {
	target mailboxArg
	copy   bool
}

func compileFileinto(c *compiler, b *bound) command {
	return &fileintoCommand{c.mailboxArg(b, b.pos[0]), b.has("copy")}
}

func (f *fileintoCommand) run(vm *machine) error {
	if vm.reject != nil {
		return vm.failf(vm.pos, `"fileinto" cannot be combined with "reject"`)
	}
	t, err := f.target.get(vm)
	if err != nil {
		return err
	}
	if !f.copy {
		vm.keeps = false
	}
	for i, a := range vm.actions {
		if other, ok := a.(*FileInto); ok && sameMailbox(other, t) {
			merged := *other // of another script perhaps: if this one fails, that one's action stands
			merged.Flags = mergeFlags(other.Flags, t.flags)
			merged.Create = other.Create || f.target.create
			vm.actions[i] = &merged
			return nil
		}
	}
	m, err := vm.doc.message()
	if err != nil {
		return err
	}
	return vm.add(&FileInto{
		Origin: vm.origin(), Mailbox: t.mailbox, MailboxID: t.mailboxID, SpecialUse: t.specialUse,
		Create: f.target.create, Copy: f.copy, Message: m, Flags: t.flags,
	})
}

func sameMailbox(f *FileInto, t mailboxTarget) bool {
	return (f.Mailbox == t.mailbox || asciiEqualFold(f.Mailbox, "INBOX") && asciiEqualFold(t.mailbox, "INBOX")) &&
		f.MailboxID == t.mailboxID && asciiEqualFold(f.SpecialUse, t.specialUse)
}

type redirectCommand struct {
	address text
	copy    bool
	list    bool
}

func compileRedirect(c *compiler, b *bound) command {
	r := &redirectCommand{c.textOf(b.pos[0]), b.has("copy"), b.has("list")}
	if address, ok := r.address.constant(); ok && r.list {
		if _, valid := CanonicalList(address); !valid {
			c.fail(b.pos[0].pos, "%v", listProblem(address))
		}
	} else if ok {
		if _, valid := singleAddress(address); !valid {
			c.fail(b.pos[0].pos, "%q is no address that mail can be sent to", address)
		}
	}
	return r
}

func (r *redirectCommand) run(vm *machine) error {
	if vm.reject != nil {
		return vm.failf(vm.pos, `"redirect" cannot be combined with "reject"`)
	}
	m, err := vm.doc.message()
	if err != nil {
		return err
	}
	if vm.doc.unenclosed != nil {
		m = vm.doc.unenclosed
	}
	if r.list {
		return vm.redirectList(r, m)
	}
	value := r.address.get(vm)
	address, valid := singleAddress(value)
	if !valid {
		return vm.failf(r.address.pos, "%q is no address that mail can be sent to", cutString(value, 100))
	}
	if !r.copy {
		vm.keeps = false
	}
	return vm.addRedirect(&Redirect{Origin: vm.origin(), Address: address, Copy: r.copy, Message: m})
}

// addRedirect appends a redirect, unless the message goes to its address already, in whatever case.
func (vm *machine) addRedirect(out *Redirect) error {
	if err := vm.charge(len(vm.actions)); err != nil {
		return err
	}
	for _, a := range vm.actions {
		if other, ok := a.(*Redirect); ok && asciiEqualFold(other.Address, out.Address) {
			return nil
		}
	}
	if vm.redirects++; vm.redirects > vm.limits.Redirects {
		return vm.failf(vm.pos, "the script redirects to more than %d addresses", vm.limits.Redirects)
	}
	return vm.add(out)
}
