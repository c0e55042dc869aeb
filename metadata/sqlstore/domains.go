package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const domainColumns = `name, alias_of, catch_all, delimiter, keep_case, detail_mailbox`

var (
	sqlSetDomain = newText("set domain", `INSERT INTO domains (`+domainColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET alias_of = excluded.alias_of, catch_all = excluded.catch_all, delimiter = excluded.delimiter,
		keep_case = excluded.keep_case, detail_mailbox = excluded.detail_mailbox`)

	sqlRemoveDomain = newText("remove domain", `DELETE FROM domains WHERE name = $1`)

	sqlDomains = newText("domains", `SELECT `+domainColumns+` FROM domains WHERE name > $1 ORDER BY name LIMIT $2`)

	sqlLookupDomains = newText("lookup domains", `SELECT `+domainColumns+` FROM domains WHERE name IN ({list})`)
)

// SetDomain implements metadata.Store.
func (s *Store) SetDomain(ctx context.Context, d metadata.Domain) error {
	const op = "metadata.SetDomain"
	if err := checkNames(op, d.Name); err != nil {
		return err
	}
	for _, v := range []string{d.AliasOf, d.CatchAll, d.Delimiter} {
		if v == "" {
			continue
		}
		if err := checkNames(op, v); err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, op, func() *sqldb.Stmt {
		return sqlSetDomain.stmt(&s.words, 0, d.Name, d.AliasOf, d.CatchAll, d.Delimiter, boolColumn(d.KeepCase), int64(d.DetailMailbox))
	})
	return err
}

// RemoveDomain implements metadata.Store.
func (s *Store) RemoveDomain(ctx context.Context, name string) error {
	const op = "metadata.RemoveDomain"
	if !storable(name) {
		return mailerr.New(op, mailerr.NotFound, "no such domain")
	}
	removed := false
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		st := sqlRemoveDomain.stmt(&s.words, 0, name)
		if err := tx.Run(ctx, st); err != nil {
			return err
		}
		if st.Affected == 0 && !removed { // a try before, whose commit was ambiguous, may have removed it
			return mailerr.New(op, mailerr.NotFound, "no such domain")
		}
		removed = true
		return nil
	}, nil)
}

// Domains implements metadata.Store.
func (s *Store) Domains(ctx context.Context, after string, limit int) ([]metadata.Domain, error) {
	const op = "metadata.Domains"
	if !storable(after) {
		return nil, mailerr.New(op, mailerr.Invalid, "invalid domain")
	}
	var domains []metadata.Domain
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		domains = nil
		st := sqlDomains.stmt(&s.words, 0, after, int64(limit))
		st.Each = func(r sqldb.Row) error {
			d, err := scanDomain(r)
			domains = append(domains, d)
			return err
		}
		return []*sqldb.Stmt{st}
	})
	return domains, err
}

// LookupDomains implements metadata.Store.
func (s *Store) LookupDomains(ctx context.Context, names []string) (map[string]metadata.Domain, error) {
	wanted := lookUpable(names)
	found := map[string]metadata.Domain{}
	if len(wanted) == 0 {
		return found, nil
	}
	err := s.read(ctx, "metadata.LookupDomains", func() []*sqldb.Stmt {
		clear(found)
		stmts := listStmts(sqlLookupDomains, &s.words, wanted, func(n *string) any { return *n })
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				d, err := scanDomain(r)
				found[d.Name] = d
				return err
			}
		}
		return stmts
	})
	return found, err
}

func scanDomain(r sqldb.Row) (metadata.Domain, error) {
	var d metadata.Domain
	var keep, detail int64
	err := r.Scan(&d.Name, &d.AliasOf, &d.CatchAll, &d.Delimiter, &keep, &detail)
	d.KeepCase, d.DetailMailbox = keep != 0, metadata.Switch(detail)
	return d, err
}

// lookUpable returns the names that can be in the database at all.
func lookUpable(names []string) []string {
	wanted := make([]string, 0, len(names))
	for _, n := range names {
		if storable(n) && len(n) <= maxName {
			wanted = append(wanted, n)
		}
	}
	return wanted
}
