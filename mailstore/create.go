package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Create creates a mailbox; a trailing delimiter is dropped (RFC 9051 section 6.3.4). specialUse is "" or "\\Sent" and so on.
// A name that differs from an existing one only in its Unicode normalisation is refused as that one. The names above it
// need not be mailboxes. Exists, Invalid (name), Limit.
func (u *User) Create(ctx context.Context, name, specialUse string) (*metadata.Mailbox, error) {
	const op = "mailstore.Create"
	name, err := canonicalName(strings.TrimSuffix(name, delimiter))
	if err != nil {
		return nil, wrap(op, err)
	}
	if !isASCII(name) {
		mailboxes, err := u.store.meta.Mailboxes(ctx, u.account)
		if err != nil {
			return nil, wrap(op, err)
		}
		if slices.ContainsFunc(mailboxes, func(m metadata.Mailbox) bool { return sameName(m.Name, name) }) {
			return nil, mailerr.New(op, mailerr.Exists, "a mailbox of that name exists")
		}
	}
	m, err := u.store.meta.CreateMailbox(ctx, u.account, metadata.NewMailbox{
		ID:         metadata.NewMailboxID(),
		Name:       name,
		SpecialUse: specialUse,
	}, u.store.cfg.MaxMailboxes)
	if err != nil {
		return nil, wrap(op, err)
	}
	u.store.publish(listHint(u.account))
	return m, nil
}

// isASCII reports whether a name is equal to no other one by normalisation.
func isASCII(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 })
}
