package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const noAccount = "no such account"

var (
	sqlAccount = newText("account", `SELECT `+accountColumns+` FROM accounts AS c JOIN credentials AS k ON k.account_id = c.account_id
		WHERE c.account_id = $1`)

	sqlAccounts = newText("accounts", `SELECT `+accountColumns+` FROM addresses AS a JOIN accounts AS c ON c.account_id = a.account_id
		JOIN credentials AS k ON k.account_id = a.account_id WHERE a.address > $1 ORDER BY a.address LIMIT $2`)

	sqlSetPasswordHash = newText("set password hash", `UPDATE credentials SET password_hash = $2 WHERE account_id = $1`)

	sqlSetQuota = newText("set quota", `UPDATE accounts SET quota_bytes = $2, quota_messages = $3 WHERE account_id = $1`)
)

// Account implements metadata.Store.
func (s *Store) Account(ctx context.Context, id metadata.AccountID) (*metadata.Account, error) {
	const op = "metadata.Account"
	var a *metadata.Account
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		a = nil
		st := sqlAccount.stmt(&s.words, 0, id[:])
		st.Each = func(r sqldb.Row) error {
			a = &metadata.Account{}
			return scanAccount(r, a)
		}
		return []*sqldb.Stmt{st}
	})
	switch {
	case err != nil:
		return nil, err
	case a == nil:
		return nil, mailerr.New(op, mailerr.NotFound, noAccount)
	}
	return a, nil
}

// Accounts implements metadata.Store.
func (s *Store) Accounts(ctx context.Context, after string, limit int) ([]metadata.Account, error) {
	const op = "metadata.Accounts"
	if !storable(after) {
		return nil, mailerr.New(op, mailerr.Invalid, "invalid address")
	}
	var accounts []metadata.Account
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		accounts = nil
		st := sqlAccounts.stmt(&s.words, 0, after, int64(limit))
		st.Each = func(r sqldb.Row) error {
			accounts = append(accounts, metadata.Account{})
			return scanAccount(r, &accounts[len(accounts)-1])
		}
		return []*sqldb.Stmt{st}
	})
	return accounts, err
}

// SetPasswordHash implements metadata.Store.
func (s *Store) SetPasswordHash(ctx context.Context, id metadata.AccountID, hash string) error {
	const op = "metadata.SetPasswordHash"
	if !storable(hash) {
		return mailerr.New(op, mailerr.Invalid, "invalid password hash")
	}
	return s.updateAccount(ctx, op, func() *sqldb.Stmt { return sqlSetPasswordHash.stmt(&s.words, 0, id[:], hash) })
}

// SetQuota implements metadata.Store.
func (s *Store) SetQuota(ctx context.Context, id metadata.AccountID, bytes, messages int64) error {
	const op = "metadata.SetQuota"
	if bytes < 0 || messages < 0 {
		return mailerr.New(op, mailerr.Invalid, "a quota is not negative")
	}
	return s.updateAccount(ctx, op, func() *sqldb.Stmt { return sqlSetQuota.stmt(&s.words, 0, id[:], bytes, messages) })
}

func (s *Store) updateAccount(ctx context.Context, op string, build func() *sqldb.Stmt) error {
	n, err := s.exec(ctx, op, build)
	if err == nil && n == 0 {
		err = mailerr.New(op, mailerr.NotFound, noAccount)
	}
	return err
}
