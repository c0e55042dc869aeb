package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlRenameMailboxes = newText("rename mailboxes", `UPDATE mailboxes SET name = v.column2, highest_modseq = v.column3
	FROM (VALUES {rows (CAST(? AS {blob}), CAST(? AS TEXT), CAST(? AS INT8))}) AS v WHERE mailboxes.mailbox_id = v.column1`)

// RenameMailboxes implements metadata.Store.
func (s *Store) RenameMailboxes(ctx context.Context, account metadata.AccountID, renames []metadata.Rename) error {
	const op = "metadata.RenameMailboxes"
	if len(renames) == 0 {
		return nil
	}
	for i := range renames {
		if err := checkNames(op, renames[i].To); err != nil {
			return err
		}
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		var boxes []metadata.Mailbox
		if err := tx.Run(ctx, append(l.lock(account), s.allMailboxes(account, &boxes))...); err != nil {
			return err
		}
		c := l.clocks[account]
		if c == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		crossing, err := checkRenames(op, boxes, renames)
		if err != nil {
			return err
		}
		modSeq := c.tick()
		stmts := l.save()
		if crossing {
			// A new name is another's old name: a unique index checks row by row, so all old names go first. No mailbox can have
			// a name that begins with this control character.
			stmts = append(stmts, s.renameRows(renames, modSeq, func(r *metadata.Rename) string { return "\x01" + r.ID.String() })...)
		}
		return tx.Run(ctx, append(stmts, s.renameRows(renames, modSeq, func(r *metadata.Rename) string { return r.To })...)...)
	}, func(tx sqldb.Tx) (bool, error) {
		var boxes []metadata.Mailbox
		if err := tx.Run(ctx, append(s.newLedger().lock(account), s.allMailboxes(account, &boxes))...); err != nil {
			return false, err
		}
		names := make(map[metadata.MailboxID]string, len(boxes))
		for i := range boxes {
			names[boxes[i].ID] = boxes[i].Name
		}
		for _, r := range renames {
			if names[r.ID] != r.To {
				return false, nil
			}
		}
		return true, nil
	})
}

// checkRenames returns NotFound or Exists, and whether a new name is the old name of another.
func checkRenames(op string, boxes []metadata.Mailbox, renames []metadata.Rename) (crossing bool, err error) {
	byID := make(map[metadata.MailboxID]string, len(boxes))
	owner := make(map[string]metadata.MailboxID, len(boxes))
	for i := range boxes {
		byID[boxes[i].ID] = boxes[i].Name
		owner[boxes[i].Name] = boxes[i].ID
	}
	old := make(map[string]bool, len(renames))
	for _, r := range renames {
		if name, ok := byID[r.ID]; !ok || name != r.From {
			return false, mailerr.New(op, mailerr.NotFound, noMailbox)
		}
		old[r.From] = true
	}
	taken := make(map[string]bool, len(renames))
	for _, r := range renames {
		_, exists := owner[r.To]
		if taken[r.To] || exists && !old[r.To] {
			return false, mailerr.New(op, mailerr.Exists, "the mailbox exists already")
		}
		taken[r.To] = true
		crossing = crossing || exists && r.From != r.To
	}
	return crossing, nil
}

func (s *Store) renameRows(renames []metadata.Rename, modSeq int64, name func(*metadata.Rename) string) []*sqldb.Stmt {
	return rowStmts(sqlRenameMailboxes, &s.words, renames, repeatLast, func(args []any, r *metadata.Rename) []any {
		return append(args, r.ID[:], name(r), modSeq)
	})
}
