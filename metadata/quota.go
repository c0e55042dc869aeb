package metadata

import "context"

// Use is what an account holds and may hold, right after a change. The zero Use is not known.
type Use struct {
	Bytes, Messages           int64
	QuotaBytes, QuotaMessages int64 // 0: no limit
}

// Percent returns how full the fuller of the two limits is; 0 without limits.
func (u Use) Percent() int64 {
	var p int64
	if u.QuotaBytes > 0 {
		p = percent(u.Bytes, u.QuotaBytes)
	}
	if u.QuotaMessages > 0 {
		p = max(p, percent(u.Messages, u.QuotaMessages))
	}
	return p
}

func percent(n, of int64) int64 { return int64(float64(n) / float64(of) * 100) }

// Without returns the use before messages of a total size were added.
func (u Use) Without(messages, bytes int64) Use {
	u.Messages -= messages
	u.Bytes -= bytes
	return u
}

// DomainQuota limits the sum of what a domain's accounts hold. Used and Over are as of the last SumDomains.
type DomainQuota struct {
	Domain                    string
	QuotaBytes, QuotaMessages int64 // 0: no limit
	UsedBytes, UsedMessages   int64
	Over                      bool // a limit is reached
}

// Drift is a counter that was not the sum of its rows.
type Drift struct {
	Mailbox string // "" for the account's own
	Counter string // "messages", "bytes", "unseen", "deleted"
	Was, Is int64
}

// QuotaStore is what accounts and domains hold. Accounts' limits are in their rows (AccountStore), and are exact: every change
// is counted under the account's clock.
type QuotaStore interface {
	// Recount counts an account's rows anew, under its clock, puts its counters and those of its mailboxes right, and returns
	// what was wrong. It reads every message row of the account while its changes wait. NotFound.
	Recount(ctx context.Context, account AccountID) ([]Drift, error)
	// DeletedBytes returns the size of a mailbox's messages that have \Deleted. It reads the mailbox's message rows.
	DeletedBytes(ctx context.Context, id MailboxID) (int64, error)

	// SetDomainQuota limits a domain; 0 is no limit, and without limits there is no row. What the domain holds is known after
	// the next SumDomains.
	SetDomainQuota(ctx context.Context, domain string, bytes, messages int64) error
	// DomainQuotas returns the domains with limits in the order of their names.
	DomainQuotas(ctx context.Context) ([]DomainQuota, error)
	// SumDomains sums up what the accounts of domains with limits hold. It reads their accounts' rows without locks, so a sum
	// is of no one moment.
	SumDomains(ctx context.Context) error
	// AccountsOver returns the accounts of the domains that are Over.
	AccountsOver(ctx context.Context) ([]AccountID, error)
}
