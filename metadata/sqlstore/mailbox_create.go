package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlCountMailboxes = newText("count mailboxes", `SELECT COUNT(*) FROM mailboxes WHERE account_id = $1`)

var sqlInsertMailboxes = newText("insert mailboxes", `INSERT INTO mailboxes (`+mailboxColumns+`)
	VALUES {rows (?, ?, ?, ?, 1, ?, 0, 0, 0, 0, 0, 1, ?, ?)}`)

var sqlInsertSubscriptions = newText("insert subscriptions", `INSERT INTO subscriptions (account_id, name) VALUES {rows (?, ?)}
	ON CONFLICT (account_id, name) DO NOTHING`)

// CreateMailbox implements metadata.Store. A mailbox that is there under the same id and name is returned: a repeated call.
func (s *Store) CreateMailbox(ctx context.Context, account metadata.AccountID, m metadata.NewMailbox, limit int) (*metadata.Mailbox, error) {
	const op = "metadata.CreateMailbox"
	if err := checkNames(op, m.Name); err != nil {
		return nil, err
	}
	var box *metadata.Mailbox
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		var have *metadata.Mailbox
		var n int64
		l := s.newLedger()
		byName := sqlMailboxByName.stmt(&s.words, 0, account[:], m.Name)
		byName.Each = scanOneMailbox(&have)
		count := sqlCountMailboxes.stmt(&s.words, 0, account[:])
		count.Each = func(r sqldb.Row) error { return r.Scan(&n) }
		stmts := append(l.lock(account), byName, count)
		parent, look := s.parentOf(account, &m)
		if err := tx.Run(ctx, append(stmts, look...)...); err != nil {
			return err
		}
		c := l.clocks[account]
		switch {
		case c == nil:
			return mailerr.New(op, mailerr.NotFound, noAccount)
		case have != nil && have.ID == m.ID:
			box = have
			return nil
		case have != nil:
			return mailerr.New(op, mailerr.Exists, "the mailbox exists already")
		case limit > 0 && n >= int64(limit):
			return mailerr.New(op, mailerr.Limit, "too many mailboxes")
		}
		now := s.now()
		validity, err := nextUIDValidity(op, now.Unix(), c.lastUIDValidity)
		if err != nil {
			return err
		}
		c.lastUIDValidity = validity
		box = newMailboxRow(account, m, validity, c.tick(), micros(now))
		stmts = s.insertMailboxes([]*metadata.Mailbox{box})
		if parent.id != nil {
			stmts = append(stmts, sqlInheritACL.stmt(&s.words, 0, m.ID[:], parent.id[:]))
		}
		if m.Subscribed {
			stmts = append(stmts, s.insertSubscriptions(account, []string{m.Name})...)
		}
		return tx.Run(ctx, append(stmts, l.save()...)...)
	}, nil) // a try after an ambiguous commit finds the mailbox
	if err != nil {
		return nil, err
	}
	return box, nil
}

// nextUIDValidity returns a value above all that the account's mailboxes ever had.
func nextUIDValidity(op string, now, last int64) (int64, error) {
	v := max(now, last+1, 1)
	if v > maxUint32 {
		return 0, mailerr.New(op, mailerr.Limit, "the account has no UIDVALIDITY values left")
	}
	return v, nil
}

func newMailboxRow(account metadata.AccountID, m metadata.NewMailbox, validity, modSeq, created int64) *metadata.Mailbox {
	return &metadata.Mailbox{
		ID: m.ID, Account: account, Name: m.Name, SpecialUse: m.SpecialUse,
		UIDValidity:   metadata.UIDValidity(validity),
		HighestModSeq: metadata.ModSeq(modSeq),
		UIDNext:       1, FirstRecent: 1,
		Created: fromMicros(created),
	}
}

func (s *Store) insertMailboxes(boxes []*metadata.Mailbox) []*sqldb.Stmt {
	return rowStmts(sqlInsertMailboxes, &s.words, boxes, exact, func(args []any, pb **metadata.Mailbox) []any {
		b := *pb
		return append(args, b.ID[:], b.Account[:], b.Name, int64(b.UIDValidity), int64(b.HighestModSeq), b.SpecialUse, micros(b.Created))
	})
}

func (s *Store) insertSubscriptions(account metadata.AccountID, names []string) []*sqldb.Stmt {
	return rowStmts(sqlInsertSubscriptions, &s.words, names, repeatLast, func(args []any, n *string) []any {
		return append(args, account[:], *n)
	})
}
