package mailstore

import (
	"context"
	"time"

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
}

// Append makes a staged message exist in a mailbox, and ends st whatever happens. NotFound, OverQuota, Unavailable; Invalid
// or Limit for keywords.
func (u *User) Append(ctx context.Context, name string, st *Staged, o AppendOptions) (*AppendData, error) {
	const op = "mailstore.Append"
	if err := checkKeywords(op, o.Keywords); err != nil {
		st.Discard()
		return nil, err
	}
	m, err := u.Mailbox(ctx, name)
	if err != nil {
		st.Discard()
		return nil, wrap(op, err)
	}
	r := Recipient{Account: u.account, Flags: o.Flags, Keywords: o.Keywords, InternalDate: o.InternalDate}
	d := &delivery{staged: st, items: []*item{st.newItem(u.store.now(), &r, m.ID)}}
	u.store.store(ctx, d)
	res := d.result(0)
	u.store.metrics.messages.WithLabelValues(outcome(res.Err)).Inc()
	if res.Err != nil {
		return nil, wrap(op, res.Err)
	}
	return &AppendData{UID: res.UID, UIDValidity: res.UIDValidity}, nil
}
