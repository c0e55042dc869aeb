package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlDeleteAllDeletion = newText("insert deletions of account", `INSERT INTO deletions (mailbox_id, account_id, modseq)
		SELECT mailbox_id, account_id, CAST($2 AS INT8) FROM mailboxes WHERE account_id = $1`)
	sqlDeleteMailboxes     = newText("delete mailboxes of account", `DELETE FROM mailboxes WHERE account_id = $1`)
	sqlDeleteSubscriptions = newText("delete subscriptions of account", `DELETE FROM subscriptions WHERE account_id = $1`)
	sqlAddressOfAccount    = newText("address of account", `SELECT address FROM credentials WHERE account_id = $1`)
	sqlDeleteAddress       = newText("delete address", `DELETE FROM addresses WHERE address = $1 AND account_id = $2`)
	sqlDeleteCredentials   = newText("delete credentials", `DELETE FROM credentials WHERE account_id = $1`)
	sqlDeleteAccount       = newText("delete account", `DELETE FROM accounts WHERE account_id = $1`)
)

// RemoveAccount implements metadata.Store. After the first transaction nothing reaches the account; its messages then go
// like those of deleted mailboxes.
func (s *Store) RemoveAccount(ctx context.Context, id metadata.AccountID) error {
	const op = "metadata.RemoveAccount"
	var left []deletion
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		left = nil
		var address string
		var boxes []metadata.Mailbox
		owner := sqlAddressOfAccount.stmt(&s.words, 0, id[:])
		owner.Each = func(r sqldb.Row) error { return r.Scan(&address) }
		if err := tx.Run(ctx, append(l.lock(id), owner, s.allMailboxes(id, &boxes))...); err != nil {
			return err
		}
		c := l.clocks[id]
		if c == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		for i := range boxes {
			left = append(left, deletion{boxes[i].ID})
		}
		w := &s.words
		return tx.Run(ctx,
			sqlDeleteAddress.stmt(w, 0, address, id[:]),
			sqlDeleteAllDeletion.stmt(w, 0, id[:], c.tick()),
			sqlDeleteACLOfAccount.stmt(w, 0, id[:]),
			sqlDeleteACLOfGrantee.stmt(w, 0, address),
			sqlDeleteDomainAccount.stmt(w, 0, domainOf(address), id[:]),
			sqlDeleteShared.stmt(w, 0, id[:]),
			sqlDeleteDetailMailbox.stmt(w, 0, id[:]),
			sqlDeleteAnnotationsOfAccount.stmt(w, 0, id[:]),
			sqlDeleteAnnotationsOfPayer.stmt(w, 0, id[:]),
			sqlDeleteMailboxes.stmt(w, 0, id[:]),
			sqlDeleteSubscriptions.stmt(w, 0, id[:]),
			sqlDeleteURLKeysOfAccount.stmt(w, 0, id[:]),
			sqlDeleteUIDLs.stmt(w, 0, id[:]),
			sqlDeleteScripts.stmt(w, 0, id[:]),
			sqlDeleteScriptOwner.stmt(w, 0, id[:]),
			sqlDeleteHandles.stmt(w, 0, id[:]),
			sqlDeleteThreads.stmt(w, 0, id[:]),
			deleteLinks(w, id),
			sqlDeleteCredentials.stmt(w, 0, id[:]),
			sqlDeleteAccount.stmt(w, 0, id[:]))
	}, func(tx sqldb.Tx) (bool, error) {
		l := s.newLedger()
		err := tx.Run(ctx, l.lock(id)...)
		return l.clocks[id] == nil, err
	})
	if err != nil {
		return err
	}
	s.finishSoon(ctx, op, left...)
	return nil
}
