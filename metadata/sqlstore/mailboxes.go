package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlMailboxes = newText("mailboxes", `SELECT `+mailboxColumns+` FROM mailboxes WHERE account_id = $1 ORDER BY name`)

// Mailboxes implements metadata.Store.
func (s *Store) Mailboxes(ctx context.Context, account metadata.AccountID) ([]metadata.Mailbox, error) {
	var boxes []metadata.Mailbox
	err := s.read(ctx, "metadata.Mailboxes", func() []*sqldb.Stmt {
		boxes = nil
		return []*sqldb.Stmt{s.allMailboxes(account, &boxes)}
	})
	return boxes, err
}

// allMailboxes returns the statement that appends an account's mailboxes to *to, in the order of their names.
func (s *Store) allMailboxes(account metadata.AccountID, to *[]metadata.Mailbox) *sqldb.Stmt {
	st := sqlMailboxes.stmt(&s.words, 0, account[:])
	st.Each = func(r sqldb.Row) error {
		*to = append(*to, metadata.Mailbox{})
		return scanMailbox(r, &(*to)[len(*to)-1])
	}
	return st
}

var sqlMailboxByName = newText("mailbox by name", `SELECT `+mailboxColumns+` FROM mailboxes WHERE account_id = $1 AND name = $2`)

// Mailbox implements metadata.Store.
func (s *Store) Mailbox(ctx context.Context, account metadata.AccountID, name string) (*metadata.Mailbox, error) {
	const op = "metadata.Mailbox"
	if !storable(name) {
		return nil, mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	return s.readMailbox(ctx, op, func(to **metadata.Mailbox) *sqldb.Stmt {
		st := sqlMailboxByName.stmt(&s.words, 0, account[:], name)
		st.Each = scanOneMailbox(to)
		return st
	})
}

// MailboxByID implements metadata.Store.
func (s *Store) MailboxByID(ctx context.Context, id metadata.MailboxID) (*metadata.Mailbox, error) {
	return s.readMailbox(ctx, "metadata.MailboxByID", func(to **metadata.Mailbox) *sqldb.Stmt { return s.oneMailbox(id, to) })
}

func (s *Store) readMailbox(ctx context.Context, op string, build func(**metadata.Mailbox) *sqldb.Stmt) (*metadata.Mailbox, error) {
	var box *metadata.Mailbox
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		box = nil
		return []*sqldb.Stmt{build(&box)}
	})
	if err == nil && box == nil {
		err = mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	if err != nil {
		return nil, err
	}
	return box, nil
}

var sqlModSeqs = newText("modseqs", `SELECT mailbox_id, highest_modseq FROM mailboxes WHERE mailbox_id IN ({list})`)

// ModSeqs implements metadata.Store.
func (s *Store) ModSeqs(ctx context.Context, ids []metadata.MailboxID) (map[metadata.MailboxID]metadata.ModSeq, error) {
	found := make(map[metadata.MailboxID]metadata.ModSeq, len(ids))
	// Each chunk is a snapshot of its own: mailboxes of different accounts have no common order anyway.
	for len(ids) > 0 {
		chunk := ids[:min(maxList, len(ids))]
		ids = ids[len(chunk):]
		err := s.read(ctx, "metadata.ModSeqs", func() []*sqldb.Stmt {
			stmts := listStmts(sqlModSeqs, &s.words, chunk, func(id *metadata.MailboxID) any { return id[:] })
			stmts[0].Each = func(r sqldb.Row) error {
				var id metadata.MailboxID
				var modSeq int64
				err := r.Scan((*idColumn)(&id), &modSeq)
				found[id] = metadata.ModSeq(modSeq)
				return err
			}
			return stmts
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

var sqlLockRecent = newText("lock recent", `SELECT uid_next, first_recent FROM mailboxes WHERE mailbox_id = $1 {for update}`)
var sqlClaimRecent = newText("claim recent", `UPDATE mailboxes SET first_recent = $2 WHERE mailbox_id = $1`)

// ClaimRecent implements metadata.Store. It locks the mailbox's row alone: who announces \Recent is no change of the mailbox.
func (s *Store) ClaimRecent(ctx context.Context, id metadata.MailboxID) (metadata.UID, error) {
	const op = "metadata.ClaimRecent"
	// After an ambiguous commit nobody may have been told: what a try before saw is what this call returns.
	var was, claimed metadata.UID
	tried := false
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		var next, first int64
		found := false
		st := sqlLockRecent.stmt(&s.words, 0, id[:])
		st.Each = func(r sqldb.Row) error {
			found = true
			return r.Scan(&next, &first)
		}
		if err := tx.Run(ctx, st); err != nil {
			return err
		}
		if !found {
			return mailerr.New(op, mailerr.NotFound, noMailbox)
		}
		if !tried || metadata.UID(first) < claimed {
			was = metadata.UID(first)
		}
		claimed = metadata.UID(next)
		if first == next {
			return nil
		}
		return tx.Run(ctx, sqlClaimRecent.stmt(&s.words, 0, id[:], next))
	}, func(sqldb.Tx) (bool, error) { tried = true; return false, nil })
	return was, err
}
