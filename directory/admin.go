package directory

import (
	"context"
	"crypto/rand"
	"iter"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// page is how many rows are read at once where all are listed.
const page = 500

// NewMailboxes returns what every new account begins with: INBOX and the mailboxes clients look for by their special use
// (RFC 6154), all subscribed.
func NewMailboxes() []metadata.NewMailbox {
	var boxes []metadata.NewMailbox
	for _, b := range []struct{ name, use string }{
		{"INBOX", ""}, {"Drafts", `\Drafts`}, {"Sent", `\Sent`}, {"Junk", `\Junk`}, {"Trash", `\Trash`}, {"Archive", `\Archive`},
	} {
		boxes = append(boxes, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: b.name, SpecialUse: b.use, Subscribed: true})
	}
	return boxes
}

// GeneratePassword returns a random password of 100 bits in letters and digits that are hard to confuse.
func GeneratePassword() string {
	t := strings.ToLower(rand.Text())
	return t[:5] + "-" + t[5:10] + "-" + t[10:15] + "-" + t[15:20]
}

// AddAccount creates an account and returns it. Invalid for an address or a password nobody may have, Exists.
func (d *Local) AddAccount(ctx context.Context, address, password string) (*metadata.Account, error) {
	a, err := d.parse(ctx, address)
	if err != nil {
		return nil, err
	}
	hash, err := d.hashes.hash(ctx, Single, password)
	if err != nil {
		return nil, err
	}
	n := metadata.NewAccount{ID: metadata.NewAccountID(), Address: a.String(), PasswordHash: hash, Mailboxes: NewMailboxes()}
	errs, err := d.meta.CreateAccounts(ctx, []metadata.NewAccount{n})
	if err == nil {
		err = errs[0]
	}
	if mailerr.Is(err, mailerr.Exists) {
		return nil, mailerr.New("directory.AddAccount", mailerr.Exists, a.String()+" is taken already, by an account or an alias")
	}
	if err != nil {
		return nil, err
	}
	return d.meta.Account(ctx, n.ID)
}

// Account returns an account by its address. Invalid, NotFound (also for an alias).
func (d *Local) Account(ctx context.Context, address string) (*metadata.Account, error) {
	a, err := d.parse(ctx, address)
	if err != nil {
		return nil, err
	}
	account, err := d.byLogin(ctx, a.String())
	if err != nil {
		return nil, err
	}
	if account == nil {
		return nil, mailerr.New("directory.Account", mailerr.NotFound, "there is no account "+a.String())
	}
	return account, nil
}

// SetPassword replaces an account's password. Invalid, NotFound.
func (d *Local) SetPassword(ctx context.Context, address, password string) error {
	account, err := d.Account(ctx, address)
	if err != nil {
		return err
	}
	hash, err := d.hashes.hash(ctx, Single, password)
	if err != nil {
		return err
	}
	_, err = d.replaceHash(ctx, account.ID, nil, hash)
	return err
}

// RemoveAccount removes an account and all its mail. NotFound.
func (d *Local) RemoveAccount(ctx context.Context, address string) error {
	account, err := d.Account(ctx, address)
	if err != nil {
		return err
	}
	return d.meta.RemoveAccount(ctx, account.ID)
}

// Accounts yields every account in the order of addresses; after an error it ends.
func (d *Local) Accounts(ctx context.Context) iter.Seq2[metadata.Account, error] {
	return paged(func(after string) ([]metadata.Account, error) { return d.meta.Accounts(ctx, after, page) },
		func(a metadata.Account) string { return a.Address })
}

// paged yields the rows of all pages.
func paged[T any](read func(after string) ([]T, error), key func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := ""; ; {
			rows, err := read(after)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = key(row)
			}
			if len(rows) < page {
				return
			}
		}
	}
}

// SetQuota limits what an account may store; 0 is no limit. NotFound.
func (d *Local) SetQuota(ctx context.Context, address string, bytes, messages int64) error {
	account, err := d.Account(ctx, address)
	if err != nil {
		return err
	}
	return d.meta.SetQuota(ctx, account.ID, bytes, messages)
}
