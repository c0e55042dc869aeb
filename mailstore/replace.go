package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// Replace puts a staged message into the named mailbox in place of a message of the snapshot, as one change (RFC 8508), and ends st
// whatever happens. It needs RightTrash and RightExpunge here, RightInsert there; flags as in Append. The expunge comes by Sync. NotFound (of the destination: the caller adds TRYCREATE), Expunged, OverQuota,
// Permission when opened ReadOnly; Invalid or Limit for keywords; nothing has happened then, but for an Unavailable that leaves it open.
func (sel *Selected) Replace(ctx context.Context, uid metadata.UID, name string, st *Staged, o AppendOptions) (*AppendData, error) {
	const op = "mailstore.Replace"
	to, err := sel.mayReplace(ctx, op, name, o)
	if err != nil {
		st.Discard()
		return nil, err
	}
	d, err := sel.user.keep(ctx, op, st, to, o)
	if err != nil {
		return nil, err
	}
	it, err := d.kept(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	s := sel.view.store
	batch := appendBatch([]*item{it})
	res, err := s.meta.Replace(ctx, metadata.ReplaceRequest{
		Account: sel.view.account, Mailbox: sel.view.id, UID: uid, Pack: batch.Packs[0], Item: batch.Items[0],
	})
	if mailerr.Is(err, mailerr.NotFound) {
		// As with Copy: which of the two went.
		if _, gone := s.meta.MailboxByID(ctx, sel.view.id); mailerr.Is(gone, mailerr.NotFound) {
			err = copySourceGone(op, err)
		}
	}
	s.metrics.messages.WithLabelValues(outcome(err)).Inc()
	if err != nil {
		return nil, wrap(op, err)
	}
	sel.committed(res.SourceModSeq)
	hints := []notify.Hint{hintOf(sel.view.account, sel.view.id, res.SourceModSeq)}
	if to.ID == sel.view.id {
		sel.committed(res.ModSeq)
		hints[0] = hintOf(to.Account, to.ID, res.ModSeq)
	} else {
		hints = append(hints, hintOf(to.Account, to.ID, res.ModSeq))
	}
	s.publish(hints...)
	return &AppendData{UID: res.UID, UIDValidity: res.UIDValidity, Account: to.Account, Mailbox: to.ID, Hidden: to.hidden()}, nil
}

// mayReplace finds the destination, if all that Replace does is allowed (RFC 8508 section 4.1).
func (sel *Selected) mayReplace(ctx context.Context, op, name string, o AppendOptions) (*located, error) {
	if err := sel.mayChange(op); err != nil {
		return nil, err
	}
	if err := checkKeywords(op, o.Keywords); err != nil {
		return nil, err
	}
	if err := sel.may(ctx, op, metadata.RightTrash|metadata.RightExpunge); err != nil {
		return nil, copySourceGone(op, err)
	}
	to, err := sel.user.locate(ctx, name, metadata.RightInsert)
	if err == nil && to.Account != sel.view.account && sel.view.store.domainIsFull(to.Account) {
		err = errDomainFull(op)
	}
	return to, wrap(op, err)
}
