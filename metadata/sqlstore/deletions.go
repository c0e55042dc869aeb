package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// deletion is a mailbox without a row whose messages still have to go.
type deletion struct{ mailbox metadata.MailboxID }

var (
	sqlDeletions    = newText("deletions", `SELECT mailbox_id FROM deletions LIMIT 1000`)
	sqlLockDeletion = newText("lock deletion", `SELECT account_id, modseq FROM deletions WHERE mailbox_id = $1 {for update}`)
	sqlEndDeletion  = newText("end deletion", `DELETE FROM deletions WHERE mailbox_id = $1`)
	sqlFirstUIDs    = newText("first uids", `SELECT uid FROM messages WHERE mailbox_id = $1 ORDER BY uid LIMIT $2`)
)

// FinishDeletions implements metadata.Store.
func (s *Store) FinishDeletions(ctx context.Context) (int, error) {
	const op = "metadata.FinishDeletions"
	for finished := 0; ; {
		var ds []deletion
		err := s.read(ctx, op, func() []*sqldb.Stmt {
			ds = nil
			st := sqlDeletions.stmt(&s.words, 0)
			st.Each = func(r sqldb.Row) error {
				ds = append(ds, deletion{})
				return r.Scan((*idColumn)(&ds[len(ds)-1].mailbox))
			}
			return []*sqldb.Stmt{st}
		})
		if err != nil || len(ds) == 0 {
			return finished, err
		}
		for _, d := range ds {
			if err := s.finishDeletion(ctx, op, d.mailbox); err != nil {
				return finished, err
			}
			finished++
		}
	}
}

// finishDeletion moves messages in steps of maxChanges until none is left. The lock of the deletions row keeps nodes apart;
// no clock is needed, since nothing of this can be seen.
func (s *Store) finishDeletion(ctx context.Context, op string, box metadata.MailboxID) error {
	for done := false; !done; {
		err := s.change(ctx, op, func(tx sqldb.Tx) error {
			done = true
			var account metadata.AccountID
			var modSeq, n, last int64
			there := false
			lock := sqlLockDeletion.stmt(&s.words, 0, box[:])
			lock.Each = func(r sqldb.Row) error {
				there = true
				return r.Scan((*idColumn)(&account), &modSeq)
			}
			uids := sqlFirstUIDs.stmt(&s.words, 0, box[:], int64(s.maxChanges))
			uids.Each = func(r sqldb.Row) error {
				n++
				return r.Scan(&last)
			}
			if err := tx.Run(ctx, lock, uids); err != nil || !there {
				return err
			}
			var stmts []*sqldb.Stmt
			if n > 0 {
				stmts = append(stmts,
					sqlKeepSpan.stmt(&s.words, 0, modSeq, account[:], micros(s.now()), box[:], int64(1), last),
					sqlDeleteSpan.stmt(&s.words, 0, box[:], int64(1), last))
			}
			if done = n < int64(s.maxChanges); done {
				stmts = append(stmts, sqlEndDeletion.stmt(&s.words, 0, box[:]))
			}
			return tx.Run(ctx, stmts...)
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
