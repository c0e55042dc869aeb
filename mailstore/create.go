package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Create creates a mailbox; a trailing delimiter is dropped (RFC 9051 section 6.3.4). specialUse is "" or "\\Sent" and so on.
// The name is converted to NFC, and refused if a mailbox has it in another normalisation. The names above it need not be
// mailboxes. Among others' mailboxes it needs RightCreate on the nearest one above it, for one directly below
// SharedMailbox on the shared account's INBOX; the owner has the new mailbox, with the ACL of that one. Exists, Invalid
// (name), Limit, Permission.
func (u *User) Create(ctx context.Context, name, specialUse string) (*metadata.Mailbox, error) {
	const op = "mailstore.Create"
	p, err := u.place(ctx, strings.TrimSuffix(name, delimiter))
	if err != nil {
		return nil, wrap(op, err)
	}
	owner := u.account
	name, root := p.name, ""
	if p.foreign() {
		if owner, err = u.mayCreate(ctx, p); err != nil {
			return nil, wrap(op, err)
		}
		if p.prefix == sharedPrefix {
			root = inboxName
		}
	}
	if !isASCII(name) {
		mailboxes, err := u.store.meta.Mailboxes(ctx, owner)
		if err != nil {
			return nil, wrap(op, err)
		}
		if slices.ContainsFunc(mailboxes, func(m metadata.Mailbox) bool { return sameName(m.Name, name) }) {
			return nil, mailerr.New(op, mailerr.Exists, "a mailbox of that name exists")
		}
	}
	m, err := u.store.meta.CreateMailbox(ctx, owner, metadata.NewMailbox{
		ID:         metadata.NewMailboxID(),
		Name:       name,
		Parent:     root,
		SpecialUse: specialUse,
	}, u.store.cfg.MaxMailboxes)
	if err != nil {
		return nil, wrap(op, err)
	}
	u.store.publish(listHint(owner))
	m.Name = p.prefix + m.Name
	return m, nil
}

// mayCreate returns the owner of a foreign place if the user may create a mailbox there. Of a mailbox that is there and that
// the user may not see, it says nothing.
func (u *User) mayCreate(ctx context.Context, p *place) (owner metadata.AccountID, err error) {
	const op = "mailstore.Create"
	names := append(above(p.name), p.name)
	if p.prefix == sharedPrefix {
		names = append(names, inboxName)
	}
	found, err := u.findAmong(ctx, p, names...)
	if err != nil {
		return owner, err
	}
	var parent *located
	for _, m := range found {
		switch name := m.place.name; {
		case name == p.name:
			if m.rights.Has(metadata.RightLookup) {
				return owner, mailerr.New(op, mailerr.Exists, "a mailbox of that name exists")
			}
			return owner, errRights(op)
		case parent == nil:
			parent = m
		case strings.HasPrefix(p.name, name+delimiter) &&
			(len(name) > len(parent.place.name) || !strings.HasPrefix(p.name, parent.place.name+delimiter)):
			parent = m
		}
	}
	if parent == nil || !parent.rights.Has(metadata.RightCreate) {
		return owner, errRights(op)
	}
	return parent.Account, nil
}

// above returns the names above a name, nearest first.
func above(name string) []string {
	var names []string
	for i := strings.LastIndexByte(name, Delimiter); i > 0; i = strings.LastIndexByte(name, Delimiter) {
		name = name[:i]
		names = append(names, name)
	}
	return names
}

// isASCII reports whether a name is equal to no other one by normalisation.
func isASCII(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 })
}
