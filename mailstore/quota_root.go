package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// QuotaRoot returns the quota of any account, by its address, or of a domain with limits, by "@" and its name. It is for
// administrators: the caller knows that the user is one. NotFound.
func (u *User) QuotaRoot(ctx context.Context, root string) (*Quota, error) {
	const op = "mailstore.QuotaRoot"
	domain, ok := strings.CutPrefix(root, "@")
	if !ok {
		a, err := u.accountOf(ctx, root)
		if err != nil {
			return nil, wrap(op, err)
		}
		q, err := u.quotaOf(ctx, a.ID)
		return q, wrap(op, err)
	}
	all, err := u.store.meta.DomainQuotas(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	i := slices.IndexFunc(all, func(q metadata.DomainQuota) bool { return q.Domain == domain })
	if i < 0 {
		return nil, errNoRoot(op)
	}
	return &Quota{Root: root, Use: metadata.Use{
		Bytes: all[i].UsedBytes, Messages: all[i].UsedMessages, QuotaBytes: all[i].QuotaBytes, QuotaMessages: all[i].QuotaMessages,
	}}, nil
}

// SetQuotaRoot replaces the limits of a root as QuotaRoot knows it, and returns what it is then; 0 is no limit. A domain gets
// limits by this, whether it has accounts or not. It is for administrators. NotFound.
func (u *User) SetQuotaRoot(ctx context.Context, root string, bytes, messages int64) (*Quota, error) {
	const op = "mailstore.SetQuotaRoot"
	if domain, ok := strings.CutPrefix(root, "@"); ok {
		if err := u.store.meta.SetDomainQuota(ctx, domain, bytes, messages); err != nil {
			return nil, wrap(op, err)
		}
		if bytes == 0 && messages == 0 {
			return &Quota{Root: root}, nil
		}
		return u.QuotaRoot(ctx, root)
	}
	a, err := u.accountOf(ctx, root)
	if err != nil {
		return nil, wrap(op, err)
	}
	if err := u.store.meta.SetQuota(ctx, a.ID, bytes, messages); err != nil {
		return nil, wrap(op, err)
	}
	return u.QuotaRoot(ctx, root)
}

func (u *User) accountOf(ctx context.Context, address string) (*metadata.Account, error) {
	found, err := u.store.meta.LookupAddresses(ctx, []string{address})
	if err != nil {
		return nil, err
	}
	a := found[address].Account
	if a == nil {
		return nil, errNoRoot("mailstore.QuotaRoot")
	}
	return a, nil
}

func errNoRoot(op string) error { return mailerr.New(op, mailerr.NotFound, "no such quota root") }
