package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlURLKey       = newText("url key", `SELECT url_key FROM url_keys WHERE account_id = $1 AND mailbox_id = $2`)
	sqlInsertURLKey = newText("insert url key", `INSERT INTO url_keys (account_id, mailbox_id, url_key) VALUES ($1, $2, $3)
		ON CONFLICT (mailbox_id, account_id) DO NOTHING`)
	sqlDeleteURLKeys          = newText("delete url keys", `DELETE FROM url_keys WHERE account_id = $1 AND mailbox_id IN ({list})`)
	sqlDeleteURLKeysOfMailbox = newText("delete url keys of mailbox", `DELETE FROM url_keys WHERE mailbox_id = $1`)
	sqlDeleteURLKeysOfAccount = newText("delete url keys of account", `DELETE FROM url_keys WHERE account_id = $1`)
)

// URLKey implements metadata.Store. A key is written once and then only read or deleted, so no clock is locked.
func (s *Store) URLKey(ctx context.Context, account metadata.AccountID, mailbox metadata.MailboxID, fresh []byte) ([]byte, error) {
	const op = "metadata.URLKey"
	for range 2 {
		var key []byte
		err := s.read(ctx, op, func() []*sqldb.Stmt {
			key = nil
			st := sqlURLKey.stmt(&s.words, 0, account[:], mailbox[:])
			st.Each = func(r sqldb.Row) error { return r.Scan(&key) }
			return []*sqldb.Stmt{st}
		})
		if err != nil || key != nil {
			return key, err
		}
		if fresh == nil {
			break
		}
		if _, err := s.exec(ctx, op, func() *sqldb.Stmt { return sqlInsertURLKey.stmt(&s.words, 0, account[:], mailbox[:], fresh) }); err != nil {
			return nil, err
		}
	}
	return nil, mailerr.New(op, mailerr.NotFound, "") // or reset just now
}

// ResetURLKeys implements metadata.Store.
func (s *Store) ResetURLKeys(ctx context.Context, account metadata.AccountID, mailboxes ...metadata.MailboxID) error {
	return s.change(ctx, "metadata.ResetURLKeys", func(tx sqldb.Tx) error {
		if len(mailboxes) == 0 {
			return tx.Run(ctx, sqlDeleteURLKeysOfAccount.stmt(&s.words, 0, account[:]))
		}
		return tx.Run(ctx, listStmts(sqlDeleteURLKeys, &s.words, mailboxes, func(m *metadata.MailboxID) any { return m[:] }, account[:])...)
	}, nil)
}
