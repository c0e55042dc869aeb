package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlDeleteMailbox  = newText("delete mailbox", `DELETE FROM mailboxes WHERE mailbox_id = $1`)
	sqlInsertDeletion = newText("insert deletion", `INSERT INTO deletions (mailbox_id, account_id, modseq) VALUES ($1, $2, $3)`)
)

// DeleteMailbox implements metadata.Store. The first transaction removes the mailbox's row, so that nothing reaches the
// messages any more, takes them out of the account's use, and leaves a row in deletions; then the messages go to expunged
// in steps. What a crash leaves in between FinishDeletions finishes.
func (s *Store) DeleteMailbox(ctx context.Context, account metadata.AccountID, id metadata.MailboxID) error {
	const op = "metadata.DeleteMailbox"
	var empty bool
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		if err := tx.Run(ctx, append(l.lock(account), l.load(id)...)...); err != nil {
			return err
		}
		box, c, err := l.mailbox(op, account, id, noMailbox)
		if err != nil {
			return err
		}
		modSeq := c.tick()
		c.add(-int64(box.Messages), -box.Size)
		stmts := append(l.save(), sqlDeleteMailbox.stmt(&s.words, 0, id[:]), sqlDeleteACL.stmt(&s.words, 0, id[:]),
			sqlDeleteURLKeysOfMailbox.stmt(&s.words, 0, id[:]), sqlDeleteAnnotationsOfMailbox.stmt(&s.words, 0, id[:]))
		if empty = box.Messages == 0; !empty {
			stmts = append(stmts, sqlInsertDeletion.stmt(&s.words, 0, id[:], account[:], modSeq))
		}
		return tx.Run(ctx, stmts...)
	}, func(tx sqldb.Tx) (bool, error) {
		l := s.newLedger()
		err := tx.Run(ctx, append(l.lock(account), l.load(id)...)...)
		return l.mailboxes[id] == nil, err
	})
	if err != nil || empty {
		return err
	}
	s.finishSoon(ctx, op, deletion{mailbox: id})
	return nil
}

// finishSoon finishes deletions that have been acknowledged in all but the word: an error is only delay, so it is logged.
func (s *Store) finishSoon(ctx context.Context, op string, ds ...deletion) {
	for _, d := range ds {
		if err := s.finishDeletion(ctx, op, d.mailbox); err != nil {
			s.log.WarnContext(ctx, "messages of a deleted mailbox are left for later", "mailbox", d.mailbox, "err", err)
			return
		}
	}
}
