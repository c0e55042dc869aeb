package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Copy copies messages of the snapshot to the named mailbox. NotFound (the caller adds TRYCREATE), OverQuota.
func (sel *Selected) Copy(ctx context.Context, uids metadata.UIDSet, dest string) (*metadata.CopyResult, error) {
	return sel.transfer(ctx, "mailstore.Copy", sel.view.store.meta.Copy, uids, dest)
}

// Move is Copy, and expunges the source in the same transaction. The expunges come by Sync, like anybody's. Permission when
// opened ReadOnly.
func (sel *Selected) Move(ctx context.Context, uids metadata.UIDSet, dest string) (*metadata.CopyResult, error) {
	const op = "mailstore.Move"
	if err := sel.mayChange(op); err != nil {
		return nil, err
	}
	return sel.transfer(ctx, op, sel.view.store.meta.Move, uids, dest)
}

func (sel *Selected) transfer(ctx context.Context, op string, do func(context.Context, metadata.CopyRequest) (*metadata.CopyResult, error), uids metadata.UIDSet, dest string) (*metadata.CopyResult, error) {
	s := sel.view.store
	to, err := sel.user.Mailbox(ctx, dest)
	if err != nil {
		return nil, wrap(op, err)
	}
	uids = intersect(uids, sel.uids)
	if len(uids) == 0 {
		return &metadata.CopyResult{UIDValidity: to.UIDValidity, DestModSeq: to.HighestModSeq}, nil
	}
	res, err := do(ctx, metadata.CopyRequest{
		Account:     sel.view.account,
		Source:      sel.view.id,
		UIDs:        uids,
		DestAccount: to.Account,
		Dest:        to.ID,
		SaveDate:    s.now(),
	})
	if mailerr.Is(err, mailerr.NotFound) {
		// One of the two went between look-up and copy. TRYCREATE would be wrong when it is the source.
		if _, gone := s.meta.MailboxByID(ctx, sel.view.id); mailerr.Is(gone, mailerr.NotFound) {
			return nil, &mailerr.Error{Op: op, Kind: mailerr.Expunged, ClientText: "the selected mailbox was deleted", Err: err}
		}
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(res.Dest) == 0 {
		return res, nil
	}
	hints := append(hintsFor(to.Account, to.ID, res.DestModSeq), hintsFor(sel.view.account, sel.view.id, res.SourceModSeq)...)
	sel.committed(res.SourceModSeq)
	if to.ID == sel.view.id {
		sel.committed(res.DestModSeq)
	}
	s.publish(hints...)
	return res, nil
}
