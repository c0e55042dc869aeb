package mailstore

import (
	"context"
	"fmt"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// maxBatch and maxBatchSummaries bound what becomes visible in one transaction: messages, and bytes of what is known of them.
	maxBatch          = 1000
	maxBatchSummaries = 8 << 20
)

// Batch is messages that become visible in one mailbox together or not at all (RFC 3502). Each is on its way to the object store
// as soon as it is added, so that a Batch holds no memory for them, whatever the time its messages take to arrive. Exactly one
// of Commit and Discard ends it. Not for concurrent use.
type Batch struct {
	user      *User
	mailbox   *located
	messages  []*delivery
	summaries int
}

// BatchData is what APPENDUID needs.
type BatchData struct {
	UIDs        []metadata.UID // in the order of Add, consecutive
	UIDValidity metadata.UIDValidity
	Account     metadata.AccountID // whose the mailbox is
	Mailbox     metadata.MailboxID
	Hidden      bool // as in CopyData
}

// NewBatch begins a Batch for a mailbox, which needs RightInsert. NotFound, Permission.
func (u *User) NewBatch(ctx context.Context, name string) (*Batch, error) {
	m, err := u.locate(ctx, name, metadata.RightInsert)
	if err != nil {
		return nil, wrap("mailstore.NewBatch", err)
	}
	return &Batch{user: u, mailbox: m}, nil
}

// Add adds a message, and ends st whatever happens. Limit for too many messages; Invalid or Limit for keywords; Unavailable.
func (b *Batch) Add(ctx context.Context, st *Staged, o AppendOptions) error {
	const op = "mailstore.Batch.Add"
	if err := checkKeywords(op, o.Keywords); err != nil {
		st.Discard()
		return err
	}
	if b.summaries += len(st.summary); len(b.messages) == maxBatch || b.summaries > maxBatchSummaries {
		st.Discard()
		return mailerr.New(op, mailerr.Limit, "too many messages at once")
	}
	d, err := b.user.keep(ctx, op, st, b.mailbox, o)
	if err != nil {
		return err
	}
	b.messages = append(b.messages, d)
	return nil
}

// Discard forgets the messages. What is in the object store of them is garbage.
func (b *Batch) Discard() {
	for _, d := range b.messages {
		d.abandon()
	}
}

// Commit makes all messages visible as one change, and waits for that. NotFound (the mailbox is gone), OverQuota, Unavailable; in
// each case none is visible, but for an Unavailable that leaves it open.
func (b *Batch) Commit(ctx context.Context) (*BatchData, error) {
	const op = "mailstore.Batch.Commit"
	items := make([]*item, len(b.messages))
	for i, d := range b.messages {
		var err error
		if items[i], err = d.kept(ctx); err != nil {
			b.Discard()
			return nil, wrap(op, err)
		}
	}
	if len(items) == 0 {
		return &BatchData{UIDValidity: b.mailbox.UIDValidity, Account: b.mailbox.Account, Mailbox: b.mailbox.ID}, nil
	}
	s := b.user.store
	if s.domainIsFull(b.mailbox.Account) {
		return nil, errDomainFull(op)
	}
	batch := appendBatch(items)
	batch.AllOrNone = true
	results, err := s.meta.Append(ctx, batch)
	if err == nil && len(results) != len(items) {
		err = mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%d results for %d items", len(results), len(items)))
	}
	if err == nil {
		err = firstRefusal(results)
	}
	s.metrics.messages.WithLabelValues(outcome(err)).Add(float64(len(items)))
	if err != nil {
		return nil, wrap(op, err)
	}
	s.publish(hintsOf(items, results)...)
	data := &BatchData{UIDValidity: results[0].UIDValidity, UIDs: make([]metadata.UID, len(results)),
		Account: b.mailbox.Account, Mailbox: b.mailbox.ID, Hidden: b.mailbox.hidden()}
	for i := range results {
		data.UIDs[i] = results[i].UID
		s.warnOfQuota(b.mailbox.Account, results[i].Use.Without(1, items[i].body.Size()), results[i].Use)
	}
	return data, nil
}

// firstRefusal returns why an append of all or none was refused: an item's own error rather than that of its company.
func firstRefusal(results []metadata.AppendResult) error {
	var first error
	for i := range results {
		err := results[i].Err
		if err != nil && !mailerr.Is(err, mailerr.Invalid) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// keep sends a staged message to the object store without making it visible, and ends st. A large one is there when keep returns.
// Flags to which the user has no right are left out.
func (u *User) keep(ctx context.Context, op string, st *Staged, m *located, o AppendOptions) (*delivery, error) {
	o.Flags, o.Keywords = permitted(m.rights, o.Flags, o.Keywords)
	r := Recipient{Account: m.Account, Flags: o.Flags, Keywords: o.Keywords, InternalDate: o.InternalDate}
	d := &delivery{staged: st, items: []*item{st.newItem(u.store.now(), &r, m.ID)}, keepOnly: true}
	if st.upload == nil {
		u.store.lanes.keep(d)
		return d, nil
	}
	d.begin()
	if !u.store.commitUpload(ctx, d) {
		return nil, wrap(op, d.result(0).Err)
	}
	d.settleKept()
	return d, nil
}

// kept waits until a message sent by keep is in the object store.
func (d *delivery) kept(ctx context.Context) (*item, error) {
	d.wait(ctx)
	if err := d.result(0).Err; err != nil {
		return nil, err
	}
	return d.items[0], nil
}
