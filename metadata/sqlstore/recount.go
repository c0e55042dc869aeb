package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlCountMessages = newText("count messages", `SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS INT8),
		CAST(COALESCE(SUM(CASE WHEN flags & 1 = 0 THEN 1 ELSE 0 END), 0) AS INT8),
		CAST(COALESCE(SUM(CASE WHEN flags & 8 = 0 THEN 0 ELSE 1 END), 0) AS INT8)
		FROM messages WHERE mailbox_id = $1`)

	sqlDeletedBytes = newText("deleted bytes", `SELECT CAST(COALESCE(SUM(size), 0) AS INT8) FROM messages
		WHERE mailbox_id = $1 AND flags & 8 <> 0`)
)

// Recount implements metadata.Store.
func (s *Store) Recount(ctx context.Context, account metadata.AccountID) ([]metadata.Drift, error) {
	const op = "metadata.Recount"
	var drifts []metadata.Drift
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		drifts = nil
		l := s.newLedger()
		var boxes []metadata.Mailbox
		var address string
		owner := sqlAddressOfAccount.stmt(&s.words, 0, account[:])
		owner.Each = func(r sqldb.Row) error { return r.Scan(&address) }
		if err := tx.Run(ctx, append(l.lock(account), owner, s.allMailboxes(account, &boxes))...); err != nil {
			return err
		}
		c := l.clocks[account]
		if c == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		note := func(mailbox, counter string, was *int64, is int64) {
			if *was != is {
				drifts = append(drifts, metadata.Drift{Mailbox: mailbox, Counter: counter, Was: *was, Is: is})
				*was = is
			}
		}
		var changed []*metadata.Mailbox
		var messages, bytes int64
		for i := range boxes {
			m := &boxes[i]
			var n, size, unseen, deleted int64
			st := sqlCountMessages.stmt(&s.words, 0, m.ID[:])
			st.Each = func(r sqldb.Row) error { return r.Scan(&n, &size, &unseen, &deleted) }
			if err := tx.Run(ctx, st); err != nil {
				return err
			}
			messages += n
			bytes += size
			before := len(drifts)
			note32 := func(counter string, was *uint32, is int64) {
				v := int64(*was)
				note(m.Name, counter, &v, is)
				*was = uint32(v)
			}
			note32("messages", &m.Messages, n)
			note(m.Name, "bytes", &m.Size, size)
			note32("unseen", &m.Unseen, unseen)
			note32("deleted", &m.Deleted, deleted)
			if len(drifts) > before {
				changed = append(changed, m)
			}
		}
		note("", "messages", &c.usedMessages, messages)
		note("", "bytes", &c.usedBytes, bytes)
		// An account from before there were sums over domains is not among those of its domain yet.
		member := sqlInsertDomainAccounts.stmt(&s.words, 1, domainOf(address), account[:])
		if len(drifts) == 0 {
			return tx.Run(ctx, member)
		}
		c.tick()
		return tx.Run(ctx, append(l.save(changed...), member)...)
	}, nil) // a try after an ambiguous commit finds nothing wrong, at worst: what was wrong is right
	return drifts, err
}

// DeletedBytes implements metadata.Store.
func (s *Store) DeletedBytes(ctx context.Context, id metadata.MailboxID) (size int64, err error) {
	err = s.read(ctx, "metadata.DeletedBytes", func() []*sqldb.Stmt {
		st := sqlDeletedBytes.stmt(&s.words, 0, id[:])
		st.Each = func(r sqldb.Row) error { return r.Scan(&size) }
		return []*sqldb.Stmt{st}
	})
	return size, err
}
