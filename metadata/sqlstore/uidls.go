package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlUIDLs       = newText("uidls", `SELECT body_id, uidl FROM uidls WHERE account_id = $1`)
	sqlUIDLsOf     = newText("uidls of bodies", `SELECT body_id, uidl FROM uidls WHERE account_id = $1 AND body_id IN ({list})`)
	sqlInsertUIDLs = newText("insert uidls", `INSERT INTO uidls (account_id, body_id, uidl) VALUES {rows ($1, ?, ?)} ON CONFLICT DO NOTHING`)
	sqlDeleteUIDLs = newText("delete uidls of account", `DELETE FROM uidls WHERE account_id = $1`)
)

func eachUIDL(st *sqldb.Stmt, yield func(metadata.UIDL)) *sqldb.Stmt {
	st.Each = func(r sqldb.Row) error {
		var u metadata.UIDL
		if err := r.Scan((*idColumn)(&u.Body), &u.Unique); err != nil {
			return err
		}
		yield(u)
		return nil
	}
	return st
}

// UIDLs implements metadata.Store.
func (s *Store) UIDLs(ctx context.Context, account metadata.AccountID) ([]metadata.UIDL, error) {
	var uidls []metadata.UIDL
	err := s.read(ctx, "metadata.UIDLs", func() []*sqldb.Stmt {
		uidls = nil
		return []*sqldb.Stmt{eachUIDL(sqlUIDLs.stmt(&s.words, 0, account[:]), func(u metadata.UIDL) { uidls = append(uidls, u) })}
	})
	if err != nil {
		return nil, err
	}
	return uidls, nil
}

// ImportUIDLs implements metadata.Store.
func (s *Store) ImportUIDLs(ctx context.Context, account metadata.AccountID, uidls []metadata.UIDL) ([]error, error) {
	const op = "metadata.ImportUIDLs"
	errs := make([]error, len(uidls))
	for from := 0; from < len(uidls); from += maxRows {
		to := min(from+maxRows, len(uidls))
		if err := s.importUIDLs(ctx, op, account, uidls[from:to], errs[from:to]); err != nil {
			return nil, err
		}
	}
	return errs, nil
}

func (s *Store) importUIDLs(ctx context.Context, op string, account metadata.AccountID, uidls []metadata.UIDL, errs []error) error {
	valid := make([]metadata.UIDL, 0, len(uidls))
	for i, u := range uidls {
		if !metadata.ValidUIDL(u.Unique) {
			errs[i] = mailerr.New(op, mailerr.Invalid, "that is no unique-id")
			continue
		}
		valid = append(valid, u)
	}
	if len(valid) == 0 {
		return nil
	}
	var have map[metadata.BodyID]string
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		have = make(map[metadata.BodyID]string, len(valid))
		l := s.newLedger()
		if err := tx.Run(ctx, l.lock(account)...); err != nil {
			return err
		}
		if l.clocks[account] == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		stmts := rowStmts(sqlInsertUIDLs, &s.words, valid, exact, func(args []any, u *metadata.UIDL) []any {
			if len(args) == 0 {
				args = append(args, account[:])
			}
			return append(args, u.Body[:], u.Unique)
		})
		for _, st := range listStmts(sqlUIDLsOf, &s.words, valid, func(u *metadata.UIDL) any { return u.Body[:] }, account[:]) {
			stmts = append(stmts, eachUIDL(st, func(u metadata.UIDL) { have[u.Body] = u.Unique }))
		}
		return tx.Run(ctx, stmts...)
	}, nil)
	if err != nil {
		return err
	}
	for i, u := range uidls {
		if errs[i] == nil && have[u.Body] != u.Unique {
			errs[i] = mailerr.New(op, mailerr.Exists, "another one is there")
		}
	}
	return nil
}

// ForgetUIDLs implements metadata.Store.
func (s *Store) ForgetUIDLs(ctx context.Context, account metadata.AccountID) error {
	_, err := s.exec(ctx, "metadata.ForgetUIDLs", func() *sqldb.Stmt { return sqlDeleteUIDLs.stmt(&s.words, 0, account[:]) })
	return err
}
