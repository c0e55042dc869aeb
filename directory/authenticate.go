package directory

import (
	"context"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Authenticate reads the account's row every time: a password changed or an account disabled on any node counts at once.
// Only the slow hash is spared, for a login that succeeded with the same stored hash within the last minutes. The account
// returned has no PasswordHash.
func (d *Local) Authenticate(ctx context.Context, login, password string) (*metadata.Account, error) {
	account, err := d.byLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	stored := ""
	if account != nil {
		stored = account.PasswordHash
	}
	key := d.logins.key(login, password)
	if stored == "" || !d.logins.holds(key, stored) {
		ok, err := d.hashes.verify(ctx, stored, password)
		if mailerr.Is(err, mailerr.Internal) {
			d.log.ErrorContext(ctx, "stored password hash cannot be used", "account", account.Address, "error", err)
			ok = false
		} else if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errLogin()
		}
		if upgraded := d.upgrade(ctx, account, password); upgraded != "" {
			stored = upgraded
		}
		d.logins.add(key, stored)
	}
	if account.Disabled {
		return nil, errLogin()
	}
	account.PasswordHash = ""
	return account, nil
}

// byLogin returns a copy of the account of a login name, nil when there is none.
func (d *Local) byLogin(ctx context.Context, login string) (*metadata.Account, error) {
	a, err := d.parse(ctx, login)
	switch {
	case mailerr.Is(err, mailerr.Invalid): // a name that is no address is a wrong name
		return nil, nil
	case err != nil:
		return nil, err
	}
	found, err := d.meta.LookupAddresses(ctx, []string{a.String()})
	if err != nil {
		return nil, err
	}
	to := found[a.String()]
	if to.Account == nil {
		return nil, nil
	}
	account := *to.Account
	return &account, nil
}

// upgrade replaces a hash of another scheme or other parameters by a current one and returns it, "" when nothing changed.
// Trouble on the way is logged and left for the next login.
func (d *Local) upgrade(ctx context.Context, account *metadata.Account, password string) string {
	if strings.HasPrefix(account.PasswordHash, currentForm) {
		return ""
	}
	hash, err := d.hashes.hash(ctx, Single, password)
	if err == nil {
		var done bool
		if done, err = d.replaceHash(ctx, account.ID, &account.PasswordHash, hash); err == nil && !done {
			return "" // somebody else set another meanwhile
		}
	}
	if err != nil {
		d.log.WarnContext(ctx, "password hash not upgraded", "account", account.Address, "error", err)
		return ""
	}
	return hash
}

const (
	hashLeaseTime = time.Minute
	hashLeaseWait = 50 * time.Millisecond
)

// replaceHash sets an account's hash, one caller at a time in the whole installation. With was, only if the stored one is
// still that: otherwise an upgrade could put back a password that was changed while it was under way.
func (d *Local) replaceHash(ctx context.Context, id metadata.AccountID, was *string, hash string) (done bool, err error) {
	lease, holder := "password/"+id.String(), metadata.NewAccountID().String()
	for {
		err = d.meta.AcquireLease(ctx, lease, holder, hashLeaseTime)
		if err == nil {
			break
		}
		if was != nil || !mailerr.Is(err, mailerr.InUse) {
			return false, err
		}
		select {
		case <-time.After(hashLeaseWait):
		case <-ctx.Done():
			return false, mailerr.Wrap("directory.replaceHash", mailerr.Unavailable, ctx.Err())
		}
	}
	defer func() {
		if rerr := d.meta.ReleaseLease(context.WithoutCancel(ctx), lease, holder); rerr != nil {
			d.log.WarnContext(ctx, "lease not released", "lease", lease, "error", rerr)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, hashLeaseTime/2)
	defer cancel()
	if was != nil {
		account, err := d.meta.Account(ctx, id)
		if err != nil || account.PasswordHash != *was {
			return false, err
		}
	}
	return true, d.meta.SetPasswordHash(ctx, id, hash)
}

func errLogin() error {
	return mailerr.New("directory.Authenticate", mailerr.Permission, "wrong name or password")
}
