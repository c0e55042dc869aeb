package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
)

// Delete removes a mailbox; mailboxes below it stay. Sessions that have it open learn it by Sync. NotFound, Invalid for
// INBOX.
func (u *User) Delete(ctx context.Context, name string) error {
	const op = "mailstore.Delete"
	m, err := u.Mailbox(ctx, name)
	if err != nil {
		return wrap(op, err)
	}
	if m.Name == inboxName {
		return mailerr.New(op, mailerr.Invalid, "INBOX cannot be deleted")
	}
	if err := u.store.meta.DeleteMailbox(ctx, u.account, m.ID); err != nil {
		return wrap(op, err)
	}
	u.store.publish(hintOf(u.account, m.ID, deletedModSeq), listHint(u.account))
	return nil
}
