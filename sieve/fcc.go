package sieve

// fccArg is ":fcc" with what belongs to it (RFC 8580 section 3); nil when it is not there.
type fccArg struct{ target mailboxArg }

func (c *compiler) fccArg(b *bound) *fccArg {
	fcc, ok := b.tags["fcc"]
	if !ok {
		for _, name := range []string{"create", "flags", "specialuse", "mailboxid"} {
			if t, ok := b.tags[name]; ok {
				c.fail(t.pos, `":%s" needs ":fcc" here`, name)
			}
		}
		return nil
	}
	return &fccArg{c.mailboxArg(b, fcc.value)}
}

func (f *fccArg) get(vm *machine) (*FCC, error) {
	if f == nil {
		return nil, nil
	}
	t, err := f.target.get(vm)
	if err != nil {
		return nil, err
	}
	out := &FCC{Mailbox: t.mailbox, MailboxID: t.mailboxID, SpecialUse: t.specialUse, Create: f.target.create}
	if f.target.flags != nil { // the internal variable is not for generated messages: RFC 8580 section 3.1.2
		out.Flags = t.flags
	}
	return out, nil
}

// original returns what generated messages take from the message.
func (vm *machine) original() (Original, error) {
	h, err := vm.doc.header()
	if err != nil {
		return Original{}, err
	}
	o := Original{
		MessageID: cutString(h.first("message-id"), 900), References: h.first("references"), Date: h.first("date"),
	}
	if o.References == "" {
		o.References = h.first("in-reply-to")
	}
	h.named("from", func(f *headerField) bool { o.From = cutString(f.value(), 1000); return false })
	h.named("subject", func(f *headerField) bool { o.Subject = cutString(f.value(), 1000); return false })
	return o, nil
}
