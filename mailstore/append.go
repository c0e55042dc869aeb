package mailstore

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// AppendOptions are APPEND's arguments.
type AppendOptions struct {
	Flags        metadata.Flags
	Keywords     []string
	InternalDate time.Time // zero: now
}

// AppendData is what APPENDUID needs.
type AppendData struct {
	UID         metadata.UID
	UIDValidity metadata.UIDValidity
	Account     metadata.AccountID // whose the mailbox is
	Mailbox     metadata.MailboxID
	Hidden      bool // as in CopyData
}

// Append makes a staged message exist in a mailbox, and ends st whatever happens. It needs RightInsert; flags to which the user
// has no right are left out (RFC 4314 section 4). NotFound, Permission, OverQuota (of the mailbox's owner), Unavailable;
// Invalid or Limit for keywords.
func (u *User) Append(ctx context.Context, name string, st *Staged, o AppendOptions) (*AppendData, error) {
	const op = "mailstore.Append"
	if err := checkKeywords(op, o.Keywords); err != nil {
		st.Discard()
		return nil, err
	}
	m, err := u.locate(ctx, name, metadata.RightInsert)
	if err != nil {
		st.Discard()
		return nil, wrap(op, err)
	}
	o.Flags, o.Keywords = permitted(m.rights, o.Flags, o.Keywords)
	if u.store.domainIsFull(m.Account) {
		st.Discard()
		return nil, errDomainFull(op)
	}
	r := Recipient{Account: m.Account, Flags: o.Flags, Keywords: o.Keywords, InternalDate: o.InternalDate}
	d := &delivery{staged: st, items: []*item{st.newItem(u.store.now(), &r, m.ID)}}
	u.store.store(ctx, d)
	res := d.result(0)
	u.store.metrics.messages.WithLabelValues(outcome(res.Err)).Inc()
	if res.Err != nil {
		return nil, wrap(op, res.Err)
	}
	return &AppendData{UID: res.UID, UIDValidity: res.UIDValidity, Account: m.Account, Mailbox: m.ID, Hidden: m.hidden()}, nil
}

// Room finds out before a large message is read what would become of it: nil if Append would take size bytes now. NotFound,
// Permission, OverQuota.
func (u *User) Room(ctx context.Context, name string, size int64) error {
	const op = "mailstore.Room"
	m, err := u.locate(ctx, name, metadata.RightInsert)
	if err != nil {
		return wrap(op, err)
	}
	a, err := u.store.meta.Account(ctx, m.Account)
	if err != nil {
		return wrap(op, err)
	}
	if a.QuotaBytes > 0 && a.UsedBytes+size > a.QuotaBytes || a.QuotaMessages > 0 && a.UsedMessages >= a.QuotaMessages {
		return mailerr.New(op, mailerr.OverQuota, "")
	}
	if u.store.domainIsFull(m.Account) {
		return errDomainFull(op)
	}
	return nil
}
