package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Destination is a mailbox of somebody else's into which a user may put messages, with the rights of the moment when it was
// looked up.
type Destination struct {
	mailbox metadata.MailboxID
	owner   metadata.AccountID
	rights  metadata.Rights
}

// Foreign reports whether a name, as the user knows mailboxes by, is one of somebody else's.
func Foreign(name string) bool { return isForeign(name) }

// Destination returns somebody else's mailbox by the name that the user knows it by; it needs RightInsert. NotFound, Permission.
func (u *User) Destination(ctx context.Context, name string) (*Destination, error) {
	const op = "mailstore.Destination"
	m, err := u.locate(ctx, name, metadata.RightInsert)
	if err == nil && !m.place.foreign() {
		err = mailerr.New(op, mailerr.NotFound, "no such mailbox")
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	return &Destination{m.ID, m.Account, m.rights}, nil
}

// DestinationByID is Destination by MAILBOXID, among the mailboxes that the user may see. NotFound, Permission.
func (u *User) DestinationByID(ctx context.Context, id string) (*Destination, error) {
	const op = "mailstore.DestinationByID"
	shared, err := u.shared(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	for i := range shared {
		if m := &shared[i]; m.ID.String() == id {
			if err := m.check(op, metadata.RightInsert); err != nil {
				return nil, err
			}
			return &Destination{m.ID, m.Account, m.rights}, nil
		}
	}
	return nil, mailerr.New(op, mailerr.NotFound, "no such mailbox")
}

// Is reports whether two are the same mailbox.
func (d *Destination) Is(other *Destination) bool { return d.mailbox == other.mailbox }
