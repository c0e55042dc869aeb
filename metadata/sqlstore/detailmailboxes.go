package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlSetDetailMailbox = newText("set detail mailbox", `INSERT INTO detail_mailboxes (account_id, switch)
		SELECT account_id, CAST($2 AS INT8) FROM accounts WHERE account_id = $1
		ON CONFLICT (account_id) DO UPDATE SET switch = excluded.switch`)

	sqlDetailMailboxes = newText("detail mailboxes", `SELECT account_id, switch FROM detail_mailboxes WHERE account_id IN ({list})`)

	sqlDeleteDetailMailbox = newText("delete detail mailbox", `DELETE FROM detail_mailboxes WHERE account_id = $1`)
)

// SetDetailMailbox implements metadata.Store.
func (s *Store) SetDetailMailbox(ctx context.Context, account metadata.AccountID, to metadata.Switch) error {
	const op = "metadata.SetDetailMailbox"
	n, err := s.exec(ctx, op, func() *sqldb.Stmt { return sqlSetDetailMailbox.stmt(&s.words, 0, account[:], int64(to)) })
	if err == nil && n == 0 {
		err = mailerr.New(op, mailerr.NotFound, noAccount)
	}
	return err
}

// DetailMailboxes implements metadata.Store.
func (s *Store) DetailMailboxes(ctx context.Context, accounts []metadata.AccountID) (map[metadata.AccountID]metadata.Switch, error) {
	found := map[metadata.AccountID]metadata.Switch{}
	if len(accounts) == 0 {
		return found, nil
	}
	err := s.read(ctx, "metadata.DetailMailboxes", func() []*sqldb.Stmt {
		clear(found)
		stmts := listStmts(sqlDetailMailboxes, &s.words, accounts, func(id *metadata.AccountID) any { return id[:] })
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				var id metadata.AccountID
				var to int64
				err := r.Scan((*idColumn)(&id), &to)
				if to != int64(metadata.Inherit) {
					found[id] = metadata.Switch(to)
				}
				return err
			}
		}
		return stmts
	})
	return found, err
}
