package sieve

func init() {
	testSpecs["mailboxexists"] = existsSpec(extMailbox, `mailboxexists <mailboxes>`, func(vm *machine, name string) (bool, error) {
		ok, err := vm.host.MailboxExists(vm.ctx, name)
		return ok, hostError("MailboxExists", err)
	})
	testSpecs["mailboxidexists"] = existsSpec(extMailboxid, `mailboxidexists <ids>`, func(vm *machine, id string) (bool, error) {
		ok, err := vm.host.MailboxIDExists(vm.ctx, id)
		return ok, hostError("MailboxIDExists", err)
	})
	testSpecs["servermetadataexists"] = existsSpec(extServermetadata, `servermetadataexists <annotations>`,
		func(vm *machine, name string) (bool, error) {
			_, ok, err := vm.host.Metadata(vm.ctx, "", name)
			return ok, hostError("Metadata", err)
		})
	testSpecs["metadataexists"] = &spec{
		ext: extMboxmetadata, args: []argKind{argString, argList}, usage: `metadataexists <mailbox> <annotations>`,
		test: func(c *compiler, b *bound) test {
			mailbox := c.textOf(b.pos[0])
			return &allExistTest{c.texts(b.pos[1]), func(vm *machine, name string) (bool, error) {
				_, ok, err := vm.mailboxMetadata(mailbox.get(vm), name)
				return ok, err
			}}
		},
	}
	testSpecs["metadata"] = &spec{
		ext: extMboxmetadata, args: []argKind{argString, argString, argList}, tags: tags(comparatorTags, matchTags),
		usage: `metadata [:is / :contains / :matches] <mailbox> <annotation> <keys>`,
		test: func(c *compiler, b *bound) test {
			mailbox := c.textOf(b.pos[0])
			return &metadataTest{&mailbox, c.textOf(b.pos[1]), c.matcher(b, b.pos[2])}
		},
	}
	testSpecs["servermetadata"] = &spec{
		ext: extServermetadata, args: []argKind{argString, argList}, tags: tags(comparatorTags, matchTags),
		usage: `servermetadata [:is / :contains / :matches] <annotation> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &metadataTest{nil, c.textOf(b.pos[0]), c.matcher(b, b.pos[1])}
		},
	}
	testSpecs["specialuse_exists"] = &spec{
		ext: extSpecialUse, args: []argKind{argString, argList}, least: 1, usage: `specialuse_exists [<mailbox>] <special uses>`,
		test: func(c *compiler, b *bound) test {
			mailbox, given := b.arg(0)
			uses, _ := b.arg(1)
			box := c.textOf(mailbox)
			return &allExistTest{c.texts(uses), func(vm *machine, use string) (bool, error) {
				name := box.get(vm)
				if given && name == "" {
					return false, nil
				}
				ok, err := vm.host.SpecialUseExists(vm.ctx, name, use)
				return ok, hostError("SpecialUseExists", err)
			}}
		},
	}
}

// existsSpec is a test of a list that is true when everything in it exists.
func existsSpec(ext extension, usage string, exists func(*machine, string) (bool, error)) *spec {
	return &spec{ext: ext, args: []argKind{argList}, usage: usage, test: func(c *compiler, b *bound) test {
		return &allExistTest{c.texts(b.pos[0]), exists}
	}}
}

type allExistTest struct {
	names  []text
	exists func(*machine, string) (bool, error)
}

// hostSteps is what a question to the host costs: a look into a database, most likely.
const hostSteps = 5000

func (t *allExistTest) eval(vm *machine) (bool, error) {
	for i := range t.names {
		if err := vm.charge(hostSteps); err != nil {
			return false, err
		}
		if ok, err := t.exists(vm, t.names[i].get(vm)); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// mailboxMetadata asks for an annotation of a mailbox; a mailbox without a name has none.
func (vm *machine) mailboxMetadata(mailbox, annotation string) (string, bool, error) {
	if mailbox == "" {
		return "", false, nil
	}
	value, ok, err := vm.host.Metadata(vm.ctx, mailbox, annotation)
	return value, ok, hostError("Metadata", err)
}

type metadataTest struct {
	mailbox    *text // nil for the server
	annotation text
	match      *matcher
}

func (t *metadataTest) eval(vm *machine) (bool, error) {
	if err := vm.charge(hostSteps); err != nil {
		return false, err
	}
	var value string
	var ok bool
	var err error
	if t.mailbox != nil {
		value, ok, err = vm.mailboxMetadata(t.mailbox.get(vm), t.annotation.get(vm))
	} else {
		value, ok, err = vm.host.Metadata(vm.ctx, "", t.annotation.get(vm))
		err = hostError("Metadata", err)
	}
	if err != nil || !ok {
		return false, err
	}
	return t.match.any(vm, []string{value})
}
