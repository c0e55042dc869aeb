package mailstore

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Limits of accounts are exact: they are checked where messages are counted, under the account's clock. Limits of domains
// are not (docs/decisions/0007-quota.md): a node sums them up every now and then, and refuses what is for accounts of a
// domain that was over its limits the last time it looked.

// fullDomains is the accounts of domains that are over their limits.
type fullDomains struct {
	accounts atomic.Pointer[map[metadata.AccountID]struct{}] // nil: none, as nearly always
}

// domainIsFull reports whether an account's domain was over its limits when this node last looked.
func (s *Store) domainIsFull(account metadata.AccountID) bool {
	full := s.full.accounts.Load()
	if full == nil {
		return false
	}
	_, ok := (*full)[account]
	return ok
}

func errDomainFull(op string) error {
	return mailerr.New(op, mailerr.OverQuota, "the domain has no room left")
}

// domainsLease is what the node that sums up has.
const domainsLease = "quota/domains"

// watchDomains looks at the limits of domains until the Store is closed.
func (s *Store) watchDomains() {
	holder := rand.Text()
	tick := time.NewTicker(s.cfg.QuotaInterval)
	defer tick.Stop()
	for {
		if err := s.lookAtDomains(s.ctx, holder); err != nil && s.ctx.Err() == nil {
			s.log.Warn("the limits of domains are not known anew", "err", err)
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// lookAtDomains finds out which accounts are of full domains. One node, which holder names, sums up for all. One look-up when no
// domain has limits.
func (s *Store) lookAtDomains(ctx context.Context, holder string) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	quotas, err := s.meta.DomainQuotas(ctx)
	if err != nil {
		return err
	}
	if len(quotas) == 0 {
		s.full.accounts.Store(nil)
		return nil
	}
	err = s.meta.AcquireLease(ctx, domainsLease, holder, 3*s.cfg.QuotaInterval)
	switch {
	case err == nil:
		if err := s.meta.SumDomains(ctx); err != nil {
			return err
		}
	case !mailerr.Is(err, mailerr.InUse):
		return err
	}
	over, err := s.meta.AccountsOver(ctx)
	if err != nil {
		return err
	}
	if len(over) == 0 {
		s.full.accounts.Store(nil)
		return nil
	}
	full := make(map[metadata.AccountID]struct{}, len(over))
	for _, id := range over {
		full[id] = struct{}{}
	}
	s.full.accounts.Store(&full)
	return nil
}

// Quota is what the owner of a mailbox holds and may hold.
type Quota struct {
	Root string // the owner's address
	metadata.Use
	Mailboxes, MaxMailboxes int64
}

// Quota returns the user's own quota, fresh.
func (u *User) Quota(ctx context.Context) (*Quota, error) {
	q, err := u.quotaOf(ctx, u.account)
	return q, wrap("mailstore.Quota", err)
}

// QuotaOf returns the quota that a mailbox counts toward: its owner's. One's own mailbox need not exist; another's needs
// RightRead (RFC 9208 section 6). NotFound, Permission.
func (u *User) QuotaOf(ctx context.Context, name string) (*Quota, error) {
	const op = "mailstore.QuotaOf"
	account := u.account
	if isForeign(name) {
		m, err := u.locate(ctx, name, metadata.RightRead)
		if err != nil {
			return nil, wrap(op, err)
		}
		account = m.Account
	} else if _, err := canonicalName(name); err != nil {
		return nil, wrap(op, err)
	}
	q, err := u.quotaOf(ctx, account)
	return q, wrap(op, err)
}

func (u *User) quotaOf(ctx context.Context, account metadata.AccountID) (*Quota, error) {
	a, err := u.store.meta.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	boxes, err := u.store.meta.Mailboxes(ctx, account)
	if err != nil {
		return nil, err
	}
	return &Quota{
		Root: a.Address,
		Use: metadata.Use{
			Bytes: a.UsedBytes, Messages: a.UsedMessages, QuotaBytes: a.QuotaBytes, QuotaMessages: a.QuotaMessages,
		},
		Mailboxes: int64(len(boxes)), MaxMailboxes: int64(u.store.cfg.MaxMailboxes),
	}, nil
}

// DeletedBytes returns the size of a mailbox's messages that have \Deleted (RFC 9208 section 4.1.4). The mailbox is one that the
// user was given.
func (u *User) DeletedBytes(ctx context.Context, m *metadata.Mailbox) (int64, error) {
	if m.Deleted == 0 {
		return 0, nil
	}
	n, err := u.store.meta.DeletedBytes(ctx, m.ID)
	return n, wrap("mailstore.DeletedBytes", err)
}
