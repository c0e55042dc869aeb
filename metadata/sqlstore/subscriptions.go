package sqlstore

import (
	"context"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlSubscriptions = newText("subscriptions", `SELECT name FROM subscriptions WHERE account_id = $1 ORDER BY name`)
	sqlUnsubscribe   = newText("unsubscribe", `DELETE FROM subscriptions WHERE account_id = $1 AND name IN ({list})`)
)

// Subscriptions implements metadata.Store.
func (s *Store) Subscriptions(ctx context.Context, account metadata.AccountID) ([]string, error) {
	var names []string
	err := s.read(ctx, "metadata.Subscriptions", func() []*sqldb.Stmt {
		names = nil
		st := sqlSubscriptions.stmt(&s.words, 0, account[:])
		st.Each = func(r sqldb.Row) error {
			names = append(names, "")
			return r.Scan(&names[len(names)-1])
		}
		return []*sqldb.Stmt{st}
	})
	return names, err
}

// Subscribe implements metadata.Store. NotFound when the account is gone.
func (s *Store) Subscribe(ctx context.Context, account metadata.AccountID, names ...string) error {
	const op = "metadata.Subscribe"
	if err := checkNames(op, names...); err != nil || len(names) == 0 {
		return err
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger() // the lock keeps the account from being removed meanwhile
		if err := tx.Run(ctx, l.lock(account)...); err != nil {
			return err
		}
		if l.clocks[account] == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		return tx.Run(ctx, s.insertSubscriptions(account, names)...)
	}, nil)
}

// Unsubscribe implements metadata.Store.
func (s *Store) Unsubscribe(ctx context.Context, account metadata.AccountID, names ...string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !storable(n) })
	if len(names) == 0 {
		return nil
	}
	return s.change(ctx, "metadata.Unsubscribe", func(tx sqldb.Tx) error {
		return tx.Run(ctx, listStmts(sqlUnsubscribe, &s.words, names, func(n *string) any { return *n }, account[:])...)
	}, nil)
}
