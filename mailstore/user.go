package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// User is one account's mailboxes, for one session of any protocol. Names are UTF-8; "inbox" in any case is INBOX, also as
// the first level ("inbox/x" is "INBOX/x").
type User struct {
	store   *Store
	account metadata.AccountID
}

// Account returns the account's id.
func (u *User) Account() metadata.AccountID { return u.account }

// Mailbox returns one mailbox's row, fresh from the database. NotFound.
func (u *User) Mailbox(ctx context.Context, name string) (*metadata.Mailbox, error) {
	const op = "mailstore.Mailbox"
	name, err := canonicalName(name)
	if err != nil {
		// There is no mailbox of such a name, and never was.
		return nil, &mailerr.Error{Op: op, Kind: mailerr.NotFound, Err: err}
	}
	m, err := u.store.meta.Mailbox(ctx, u.account, name)
	return m, wrap(op, err)
}

// Quota returns the account's use and limits, fresh.
func (u *User) Quota(ctx context.Context) (*metadata.Account, error) {
	a, err := u.store.meta.Account(ctx, u.account)
	return a, wrap("mailstore.Quota", err)
}

// Subscribe and Unsubscribe change the subscription list; the mailbox need not exist. Invalid for a name no mailbox may have.
func (u *User) Subscribe(ctx context.Context, name string) error {
	const op = "mailstore.Subscribe"
	name, err := canonicalName(name)
	if err != nil {
		return wrap(op, err)
	}
	return wrap(op, u.store.meta.Subscribe(ctx, u.account, name))
}

// Unsubscribe removes a name.
func (u *User) Unsubscribe(ctx context.Context, name string) error {
	const op = "mailstore.Unsubscribe"
	if canonical, err := canonicalName(name); err == nil { // else nobody can have subscribed to it
		return wrap(op, u.store.meta.Unsubscribe(ctx, u.account, canonical))
	}
	return nil
}
