package mailstore

import (
	"context"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// The namespaces beside a user's own mailboxes (RFC 2342). Nobody has mailboxes of their own with these names.
const (
	OtherUsers     = "Other Users" // OtherUsers/ADDRESS/NAME is mailbox NAME of that account
	SharedMailbox  = "Shared"      // SharedMailbox/NAME is mailbox NAME of the shared account of the user's domain
	otherPrefix    = OtherUsers + delimiter
	sharedPrefix   = SharedMailbox + delimiter
	maxSharedLimit = 20_000 // ACL entries that are read for one user's list
)

// place is where a name leads: to the user's own mailboxes or to those of another owner.
type place struct {
	owner  string // "" for the user's own; an address, or "@" and a domain for its shared account (metadata.MailboxesOf)
	prefix string // what comes before name in the name the user knows
	name   string // in the owner's account; "" for a name above the owner's mailboxes
}

// foreign reports whether the place is not the user's own.
func (p *place) foreign() bool { return p.prefix != "" }

// isForeign reports whether a name is in one of the namespaces of others' mailboxes.
func isForeign(name string) bool {
	for _, root := range []string{OtherUsers, SharedMailbox} {
		if name == root || strings.HasPrefix(name, root+delimiter) {
			return true
		}
	}
	return false
}

// whoami returns the user's address.
func (u *User) whoami(ctx context.Context) (string, error) {
	if a := u.address.Load(); a != nil {
		return *a, nil
	}
	a, err := u.store.meta.Account(ctx, u.account)
	if err != nil {
		return "", err
	}
	u.address.Store(&a.Address)
	return a.Address, nil
}

// place returns where a name leads. Invalid for a name that no mailbox may have; a name above others' mailboxes has no name
// of its own. The owner of a foreign place may not exist, or be of another domain: then it has an owner that has no mailboxes.
func (u *User) place(ctx context.Context, name string) (*place, error) {
	if !isForeign(name) {
		name, err := canonicalName(name)
		return &place{name: name}, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	me, err := u.whoami(ctx)
	if err != nil {
		return nil, err
	}
	p := &place{prefix: name}
	if rest, ok := strings.CutPrefix(name, sharedPrefix); ok {
		p.owner, p.prefix, p.name = metadata.EverybodyIn(me), sharedPrefix, rest
	} else if rest, ok := strings.CutPrefix(name, otherPrefix); ok {
		owner, inner, ok := cutOwner(rest)
		if !ok {
			return p, nil
		}
		p.prefix, p.name = otherPrefix+owner+delimiter, inner
		// Mailboxes are shared within a domain; one's own are not found in this way.
		if owner != me && metadata.EverybodyIn(owner) == metadata.EverybodyIn(me) {
			p.owner = owner
		}
	}
	if p.name == "" {
		return p, nil
	}
	p.name, err = canonicalName(p.name)
	return p, err
}

// cutOwner splits "ADDRESS/NAME". A local part may have the delimiter in it, a domain may not.
func cutOwner(s string) (owner, name string, ok bool) {
	at := strings.IndexByte(s, '@')
	if at < 0 {
		return "", "", false
	}
	cut := strings.IndexByte(s[at:], Delimiter)
	if cut < 0 {
		return "", "", false
	}
	return s[:at+cut], s[at+cut+1:], true
}

// located is a mailbox that a name leads to, and what the user may do with it.
type located struct {
	metadata.Mailbox                 // Name is what the user knows it by
	place            *place          // place.name is its name in its owner's account
	rights           metadata.Rights // AllRights for the user's own
	acl              metadata.ACL    // of others' mailboxes
	at               time.Time       // rights are those of this moment or later
}

// hidden: the user may put messages here, perhaps, and not read them.
func (m *located) hidden() bool { return !m.rights.Has(metadata.RightRead) }

// find returns the mailbox a name leads to, whatever the user may do with it: nil when there is none. Its rights are those of
// this moment.
func (u *User) find(ctx context.Context, p *place) (*located, error) {
	if !p.foreign() {
		m, err := u.store.meta.Mailbox(ctx, u.account, p.name)
		if mailerr.Is(err, mailerr.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return &located{Mailbox: *m, place: p, rights: metadata.AllRights}, nil
	}
	all, err := u.findAmong(ctx, p, p.name)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// findAmong returns those of a foreign owner's mailboxes that have one of the names.
func (u *User) findAmong(ctx context.Context, p *place, names ...string) ([]*located, error) {
	if p.owner == "" || p.name == "" {
		return nil, nil
	}
	me, err := u.whoami(ctx)
	if err != nil {
		return nil, err
	}
	now := u.store.cfg.Now()
	boxes, err := u.store.meta.MailboxesOf(ctx, p.owner, names)
	if err != nil {
		return nil, err
	}
	found := make([]*located, len(boxes))
	for i, b := range boxes {
		at := *p
		at.name = b.Name
		found[i] = &located{Mailbox: b.Mailbox, place: &at, acl: b.ACL, rights: b.ACL.Rights(me), at: now}
		found[i].Name = p.prefix + b.Name
	}
	return found, nil
}

// locate returns the mailbox a name leads to, if the user has all the rights. A mailbox that the user may not see is
// answered like one that is not there (RFC 4314 section 6). NotFound, Permission.
func (u *User) locate(ctx context.Context, name string, need metadata.Rights) (*located, error) {
	const op = "mailstore.Mailbox"
	p, err := u.place(ctx, name)
	if mailerr.Is(err, mailerr.Invalid) {
		// There is no mailbox of such a name, and never was.
		return nil, &mailerr.Error{Op: op, Kind: mailerr.NotFound, Err: err}
	}
	if err != nil {
		return nil, err
	}
	m, err := u.find(ctx, p)
	if err != nil {
		return nil, err
	}
	return m, m.check(op, need)
}

// check returns nil for a mailbox that is there and with which the user may do what needs the rights.
func (m *located) check(op string, need metadata.Rights) error {
	switch {
	case m != nil && m.rights.Has(need):
		return nil
	case m != nil && m.rights.Has(metadata.RightLookup):
		return errRights(op)
	}
	return mailerr.New(op, mailerr.NotFound, "no such mailbox")
}

func errRights(op string) error {
	return mailerr.New(op, mailerr.Permission, "the access rights do not allow that")
}

// canonicalFull is canonicalName for a name as the user knows it: also below an owner INBOX has one spelling.
func canonicalFull(name string) (string, error) {
	name, err := canonicalName(name)
	if err != nil {
		return name, err
	}
	prefix := ""
	if strings.HasPrefix(name, sharedPrefix) {
		prefix = sharedPrefix
	} else if rest, ok := strings.CutPrefix(name, otherPrefix); ok {
		if owner, _, ok := cutOwner(rest); ok {
			prefix = otherPrefix + owner + delimiter
		}
	}
	if prefix == "" {
		return name, nil
	}
	inner, err := canonicalName(name[len(prefix):])
	return prefix + inner, err
}
