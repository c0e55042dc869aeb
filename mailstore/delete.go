package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Delete removes a mailbox; mailboxes below it stay. Sessions that have it open learn it by Sync. NotFound, Permission, Invalid
// for INBOX.
func (u *User) Delete(ctx context.Context, name string) error {
	const op = "mailstore.Delete"
	m, err := u.locate(ctx, name, metadata.RightDelete)
	if err != nil {
		return wrap(op, err)
	}
	if m.place.name == inboxName {
		return mailerr.New(op, mailerr.Invalid, "INBOX cannot be deleted")
	}
	if err := u.store.meta.DeleteMailbox(ctx, m.Account, m.ID); err != nil {
		return wrap(op, err)
	}
	u.store.publish(hintOf(m.Account, m.ID, deletedModSeq), listHint(m.Account))
	return nil
}
