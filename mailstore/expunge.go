package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// Expunge removes the messages of uids (nil: all) that have \Deleted. The removals come by Sync. With nil, messages that
// are not in the session's snapshot yet go too: RFC 9051 section 6.4.3 says all. Permission when opened ReadOnly, and
// without RightExpunge.
func (sel *Selected) Expunge(ctx context.Context, uids metadata.UIDSet) (*metadata.ExpungeResult, error) {
	return sel.expunge(ctx, "mailstore.Expunge", metadata.ExpungeRequest{UIDs: uids, OnlyDeleted: true})
}

// ExpungeAll removes the messages of uids whatever their flags; for POP3. nil: none. Permission when opened ReadOnly.
func (sel *Selected) ExpungeAll(ctx context.Context, uids metadata.UIDSet) (*metadata.ExpungeResult, error) {
	if uids == nil {
		uids = metadata.UIDSet{} // to the metadata nil is all
	}
	return sel.expunge(ctx, "mailstore.ExpungeAll", metadata.ExpungeRequest{UIDs: uids})
}

func (sel *Selected) expunge(ctx context.Context, op string, req metadata.ExpungeRequest) (*metadata.ExpungeResult, error) {
	if err := sel.mayChange(op); err != nil {
		return nil, err
	}
	if err := sel.may(ctx, op, metadata.RightExpunge); err != nil {
		return nil, wrap(op, err)
	}
	if req.UIDs != nil {
		if req.UIDs = intersect(req.UIDs, sel.uids); len(req.UIDs) == 0 {
			return &metadata.ExpungeResult{ModSeq: sel.pos}, nil
		}
	}
	req.Account, req.Mailbox = sel.view.account, sel.view.id
	res, err := sel.view.store.meta.Expunge(ctx, req)
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(res.UIDs) > 0 {
		sel.committed(res.ModSeq)
		sel.view.store.publish(hintOf(sel.view.account, sel.view.id, res.ModSeq))
	}
	return res, nil
}
