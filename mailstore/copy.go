package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// CopyData is what a COPY or MOVE did.
type CopyData struct {
	metadata.CopyResult
	Account metadata.AccountID // whose the destination is
	Mailbox metadata.MailboxID // the destination
	Hidden  bool               // the user may not read the destination, nor know its UIDs (RFC 4315 section 3)
}

// Copy copies messages of the snapshot to the named mailbox, which needs RightInsert; flags to which the user has no right there
// are left out (RFC 4314 section 4). NotFound (the caller adds TRYCREATE), Permission, OverQuota (of the mailbox's owner).
func (sel *Selected) Copy(ctx context.Context, uids metadata.UIDSet, dest string) (*CopyData, error) {
	const op = "mailstore.Copy"
	if err := sel.may(ctx, op, metadata.RightRead); err != nil {
		return nil, copySourceGone(op, err)
	}
	return sel.transfer(ctx, op, sel.view.store.meta.Copy, uids, dest)
}

// Move is Copy, and expunges the source in the same transaction, which needs RightTrash and RightExpunge there. The expunges
// come by Sync, like anybody's. Permission also when opened ReadOnly.
func (sel *Selected) Move(ctx context.Context, uids metadata.UIDSet, dest string) (*CopyData, error) {
	const op = "mailstore.Move"
	if err := sel.mayChange(op); err != nil {
		return nil, err
	}
	if err := sel.may(ctx, op, metadata.RightTrash|metadata.RightExpunge); err != nil {
		return nil, copySourceGone(op, err)
	}
	return sel.transfer(ctx, op, sel.view.store.meta.Move, uids, dest)
}

func (sel *Selected) transfer(ctx context.Context, op string, do func(context.Context, metadata.CopyRequest) (*metadata.CopyResult, error), uids metadata.UIDSet, dest string) (*CopyData, error) {
	s := sel.view.store
	to, err := sel.user.locate(ctx, dest, metadata.RightInsert)
	if err != nil {
		return nil, wrap(op, err)
	}
	uids = intersect(uids, sel.uids)
	if len(uids) == 0 {
		return &CopyData{metadata.CopyResult{UIDValidity: to.UIDValidity, DestModSeq: to.HighestModSeq}, to.Account, to.ID, to.hidden()}, nil
	}
	if growth := op == "mailstore.Copy" || to.Account != sel.view.account; growth && s.domainIsFull(to.Account) {
		return nil, errDomainFull(op)
	}
	dropped, noKeywords := flagRights(to.rights)
	res, err := do(ctx, metadata.CopyRequest{
		Account:     sel.view.account,
		Source:      sel.view.id,
		UIDs:        uids,
		DestAccount: to.Account,
		Dest:        to.ID,
		SaveDate:    s.now(),

		DropFlags:    dropped,
		DropKeywords: noKeywords,
	})
	if mailerr.Is(err, mailerr.NotFound) {
		// One of the two went between look-up and copy. TRYCREATE would be wrong when it is the source.
		if _, gone := s.meta.MailboxByID(ctx, sel.view.id); mailerr.Is(gone, mailerr.NotFound) {
			return nil, copySourceGone(op, err)
		}
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	data := &CopyData{*res, to.Account, to.ID, to.hidden()}
	if len(res.Dest) == 0 {
		return data, nil
	}
	s.warnOfQuota(to.Account, res.Use.Without(int64(len(res.Dest)), res.Bytes), res.Use)
	hints := append(hintsFor(to.Account, to.ID, res.DestModSeq), hintsFor(sel.view.account, sel.view.id, res.SourceModSeq)...)
	sel.committed(res.SourceModSeq)
	if to.ID == sel.view.id {
		sel.committed(res.DestModSeq)
	}
	s.publish(hints...)
	return data, nil
}

// copySourceGone returns err, but for a source that is gone an error that is not taken for one about the destination.
func copySourceGone(op string, err error) error {
	if mailerr.Is(err, mailerr.NotFound) {
		return &mailerr.Error{Op: op, Kind: mailerr.Expunged, ClientText: "the selected mailbox was deleted", Err: err}
	}
	return wrap(op, err)
}
