package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// expungedSince returns the statement that appends the UIDs expunged after since to *to.
func (s *Store) expungedSince(id metadata.MailboxID, since metadata.ModSeq, to *[]metadata.UID) *sqldb.Stmt {
	st := sqlExpungedSince.stmt(&s.words, 0, id[:], int64(min(since, 1<<63-1)))
	st.Each = func(r sqldb.Row) error {
		var uid int64
		err := r.Scan(&uid)
		*to = append(*to, metadata.UID(uid))
		return err
	}
	return st
}

// VanishedSince implements metadata.Store.
func (s *Store) VanishedSince(ctx context.Context, id metadata.MailboxID, since metadata.ModSeq) (*metadata.Vanished, error) {
	const op = "metadata.VanishedSince"
	var box *metadata.Mailbox
	var uids []metadata.UID
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		box, uids = nil, nil
		return []*sqldb.Stmt{s.oneMailbox(id, &box), s.expungedSince(id, since, &uids)}
	})
	switch {
	case err != nil:
		return nil, err
	case box == nil:
		return nil, mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	return &metadata.Vanished{Mailbox: *box, UIDs: metadata.UIDSetOf(uids...), Complete: since >= box.ExpungedBefore}, nil
}

var (
	sqlPurgeable = newText("purgeable", `SELECT modseq FROM expunged WHERE mailbox_id = $1 AND modseq <= $2 AND expunged_at < $3
		ORDER BY modseq LIMIT $4`)
	sqlPurge = newText("purge", `DELETE FROM expunged WHERE mailbox_id = $1 AND modseq <= $2 AND expunged_at < $3`)

	sqlSetExpungedBefore = newText("set expunged before", `UPDATE mailboxes SET expunged_before = $2
		WHERE mailbox_id = $1 AND expunged_before < $2`)
)

// PurgeExpunged implements metadata.Store. Each transaction removes the rows of whole MODSEQs, about maxChanges of them, oldest
// first: a reader's snapshot has either the rows or the mark that they may be missing.
func (s *Store) PurgeExpunged(ctx context.Context, req metadata.PurgeExpunged) (int, error) {
	const op = "metadata.PurgeExpunged"
	purged := 0
	upTo, before := int64(min(req.UpTo, 1<<63-1)), micros(req.Before)
	for done := false; !done; {
		var n int64
		err := s.change(ctx, op, func(tx sqldb.Tx) error {
			var last, found int64
			n = 0
			st := sqlPurgeable.stmt(&s.words, 0, req.Mailbox[:], upTo, before, int64(s.maxChanges))
			st.Each = func(r sqldb.Row) error {
				found++
				return r.Scan(&last)
			}
			if err := tx.Run(ctx, append(s.newLedger().lock(req.Account), st)...); err != nil {
				return err
			}
			if done = found < int64(s.maxChanges); found == 0 {
				return nil
			}
			del := sqlPurge.stmt(&s.words, 0, req.Mailbox[:], last, before)
			err := tx.Run(ctx, del, sqlSetExpungedBefore.stmt(&s.words, 0, req.Mailbox[:], last))
			n = del.Affected
			return err
		}, nil)
		if err != nil {
			return purged, err
		}
		purged += int(n)
	}
	return purged, nil
}
