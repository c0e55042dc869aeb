package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// Anyone is the identifier for all accounts of the domain that a mailbox's owner belongs to (RFC 4314 section 2).
const Anyone = "anyone"

// ACLEntry is an entry of a mailbox's ACL as clients see it.
type ACLEntry struct {
	Identifier string // an address, or Anyone; with "-" before it the rights are denied
	Rights     metadata.Rights
}

// MailboxRights is a mailbox and what the user may do with it.
type MailboxRights struct {
	metadata.Mailbox
	Rights metadata.Rights
}

// visible are the rights of which MYRIGHTS needs one (RFC 4314 section 4).
const visible = metadata.RightLookup | metadata.RightRead | metadata.RightInsert | metadata.RightCreate | metadata.RightDelete |
	metadata.RightAdmin

// MyRights returns a mailbox and what the user may do with it (RFC 4314 section 3.5). NotFound.
func (u *User) MyRights(ctx context.Context, name string) (*MailboxRights, error) {
	const op = "mailstore.MyRights"
	m, err := u.locate(ctx, name, 0)
	if err == nil && m.rights&visible == 0 {
		err = m.check(op, visible)
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	return &MailboxRights{Mailbox: m.Mailbox, Rights: m.rights}, nil
}

// ACL returns a mailbox's entries, its owner first (RFC 4314 section 3.3). It needs RightAdmin. NotFound, Permission.
func (u *User) ACL(ctx context.Context, name string) (*metadata.Mailbox, []ACLEntry, error) {
	const op = "mailstore.ACL"
	m, owner, err := u.administered(ctx, name)
	if err != nil {
		return nil, nil, wrap(op, err)
	}
	acl := m.acl
	if !m.place.foreign() {
		if acl, err = u.store.meta.ACL(ctx, m.ID); err != nil {
			return nil, nil, wrap(op, err)
		}
	}
	var entries []ACLEntry
	if owner.address != "" {
		entries = append(entries, ACLEntry{Identifier: owner.address, Rights: metadata.AllRights})
	}
	for _, e := range acl {
		id := e.Grantee
		if id == owner.everybody {
			id = Anyone
		}
		if e.Denies {
			id = "-" + id
		}
		entries = append(entries, ACLEntry{Identifier: id, Rights: e.Rights})
	}
	return &m.Mailbox, entries, nil
}

// Grantee is whose entry of an ACL is meant.
type Grantee struct {
	Address string // in its one form, or Anyone
	Denies  bool
}

// SetACL changes one entry (RFC 4314 section 3.1); one without rights is removed. It needs RightAdmin. Rights are given
// within the owner's domain only, whether there is such an account or not. The owner has all rights and keeps them: to set
// those is no change. NotFound, Permission, Invalid, Limit.
func (u *User) SetACL(ctx context.Context, name string, g Grantee, op metadata.RightsOp, rights metadata.Rights) error {
	const call = "mailstore.SetACL"
	m, owner, err := u.administered(ctx, name)
	if err != nil {
		return wrap(call, err)
	}
	grantee := g.Address
	switch {
	case grantee == Anyone:
		grantee = owner.everybody
	case metadata.EverybodyIn(grantee) != owner.everybody:
		return mailerr.New(call, mailerr.Invalid, "rights can be given within the domain only")
	case grantee == owner.address && !g.Denies &&
		(op == metadata.RightsAdd || op == metadata.RightsReplace && rights == metadata.AllRights):
		return nil
	case grantee == owner.address:
		return mailerr.New(call, mailerr.Invalid, "the owner has all rights")
	}
	err = u.store.meta.SetACL(ctx, m.Account, m.ID, metadata.ACLChange{Grantee: grantee, Denies: g.Denies, Op: op, Rights: rights})
	if err != nil {
		return wrap(call, err)
	}
	u.store.publish(append(u.store.hintsTo(ctx, grantee), listHint(m.Account))...)
	return nil
}

// hintsTo returns the hint for an account whose rights were changed. Those of a whole domain find it out by polling.
func (s *Store) hintsTo(ctx context.Context, grantee string) []notify.Hint {
	targets, err := s.meta.LookupAddresses(ctx, []string{grantee})
	if err != nil || targets[grantee].Account == nil {
		return nil // a hint is never necessary
	}
	return []notify.Hint{listHint(targets[grantee].Account.ID)}
}

// GrantableRights returns what an identifier has always, and what it can be given (RFC 4314 section 3.4). It needs RightAdmin.
// NotFound, Permission.
func (u *User) GrantableRights(ctx context.Context, name string, g Grantee) (m *metadata.Mailbox, always, optional metadata.Rights, err error) {
	at, owner, err := u.administered(ctx, name)
	switch {
	case err != nil:
		return nil, 0, 0, wrap("mailstore.GrantableRights", err)
	case g.Address == owner.address && !g.Denies:
		return &at.Mailbox, metadata.AllRights, 0, nil
	case g.Address != Anyone && metadata.EverybodyIn(g.Address) != owner.everybody, g.Address == owner.address:
		return &at.Mailbox, 0, 0, nil
	}
	return &at.Mailbox, 0, metadata.AllRights, nil
}

// owner is who owns a mailbox.
type owner struct {
	address   string // "" for a shared account: nobody logs in as it
	everybody string // the grantee that Anyone means
}

// administered returns a mailbox that the user may administer, and its owner.
func (u *User) administered(ctx context.Context, name string) (*located, owner, error) {
	m, err := u.locate(ctx, name, metadata.RightAdmin)
	if err != nil {
		return nil, owner{}, err
	}
	switch {
	case !m.place.foreign():
		me, err := u.whoami(ctx)
		return m, owner{me, metadata.EverybodyIn(me)}, err
	case m.place.prefix == sharedPrefix:
		return m, owner{"", m.place.owner}, nil
	}
	return m, owner{m.place.owner, metadata.EverybodyIn(m.place.owner)}, nil
}
