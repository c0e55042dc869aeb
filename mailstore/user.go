package mailstore

import (
	"context"
	"sync/atomic"

	"github.com/rookery-mail/rookery/metadata"
)

// User is one account's mailboxes, for one session of any protocol. Names are UTF-8; "inbox" in any case is INBOX, also as
// the first level ("inbox/x" is "INBOX/x"). Names below OtherUsers and SharedMailbox are mailboxes of others, as far as
// their ACLs let the user (RFC 4314): one that the user may not see is NotFound everywhere, exactly like one that does not exist, what the
// user may see but not do is Permission. Rights are read anew at each call.
type User struct {
	store   *Store
	account metadata.AccountID
	address atomic.Pointer[string] // nil until it was needed
}

// Address returns the account's address in its one form. It is looked up once.
func (u *User) Address(ctx context.Context) (string, error) {
	address, err := u.whoami(ctx)
	return address, wrap("mailstore.Address", err)
}

// Account returns the account's id.
func (u *User) Account() metadata.AccountID { return u.account }

// Mailbox returns one mailbox's row, fresh from the database, as STATUS needs it (RightRead). NotFound, Permission.
func (u *User) Mailbox(ctx context.Context, name string) (*metadata.Mailbox, error) {
	m, err := u.locate(ctx, name, metadata.RightRead)
	if err != nil {
		return nil, wrap("mailstore.Mailbox", err)
	}
	return &m.Mailbox, nil
}

// Subscribe and Unsubscribe change the subscription list; the mailbox need not exist. Invalid for a name no mailbox may have.
func (u *User) Subscribe(ctx context.Context, name string) error {
	const op = "mailstore.Subscribe"
	name, err := canonicalFull(name)
	if err != nil {
		return wrap(op, err)
	}
	if err := u.store.meta.Subscribe(ctx, u.account, name); err != nil {
		return wrap(op, err)
	}
	u.store.publish(listHint(u.account))
	return nil
}

// Unsubscribe removes a name.
func (u *User) Unsubscribe(ctx context.Context, name string) error {
	const op = "mailstore.Unsubscribe"
	if canonical, err := canonicalFull(name); err == nil { // else nobody can have subscribed to it
		if err := u.store.meta.Unsubscribe(ctx, u.account, canonical); err != nil {
			return wrap(op, err)
		}
		u.store.publish(listHint(u.account))
	}
	return nil
}
