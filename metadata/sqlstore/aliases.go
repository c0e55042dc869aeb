package sqlstore

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlLookupAddresses = newText("lookup addresses", `SELECT a.address, a.targets, a.account_id, COALESCE(k.address, ''),
		COALESCE(k.password_hash, ''), COALESCE(c.modseq, 0), COALESCE(c.used_bytes, 0), COALESCE(c.used_messages, 0),
		COALESCE(c.quota_bytes, 0), COALESCE(c.quota_messages, 0), COALESCE(c.disabled, 0), COALESCE(c.created, 0),
		COALESCE(o.active, ''), COALESCE(o.version, 0)
		FROM addresses AS a LEFT JOIN accounts AS c ON c.account_id = a.account_id
		LEFT JOIN credentials AS k ON k.account_id = a.account_id
		LEFT JOIN sieve_owners AS o ON o.owner = a.account_id WHERE a.address IN ({list})`)

	sqlSetAlias = newText("set alias", `INSERT INTO addresses (address, account_id, targets) VALUES ($1, NULL, $2)
		ON CONFLICT (address) DO UPDATE SET targets = excluded.targets WHERE addresses.account_id IS NULL`)

	sqlRemoveAlias = newText("remove alias", `DELETE FROM addresses WHERE address = $1 AND account_id IS NULL`)

	sqlAliases = newText("aliases", `SELECT address, targets FROM addresses WHERE address > $1 AND account_id IS NULL
		ORDER BY address LIMIT $2`)
)

// LookupAddresses implements metadata.Store.
func (s *Store) LookupAddresses(ctx context.Context, addresses []string) (map[string]metadata.AddressTarget, error) {
	wanted := lookUpable(addresses)
	if len(wanted) == 0 {
		return map[string]metadata.AddressTarget{}, nil
	}
	var found map[string]metadata.AddressTarget
	err := s.read(ctx, "metadata.LookupAddresses", func() []*sqldb.Stmt {
		found = make(map[string]metadata.AddressTarget, len(wanted))
		stmts := listStmts(sqlLookupAddresses, &s.words, wanted, func(a *string) any { return *a })
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error { return scanTarget(r, found) }
		}
		return stmts
	})
	return found, err
}

func scanTarget(r sqldb.Row, found map[string]metadata.AddressTarget) error {
	var address, targets string
	var id []byte
	var modseq, disabled, created int64
	a := &metadata.Account{}
	err := r.Scan(&address, &targets, &id, &a.Address, &a.PasswordHash, &modseq, &a.UsedBytes, &a.UsedMessages, &a.QuotaBytes,
		&a.QuotaMessages, &disabled, &created, &a.Scripts.Active, &a.Scripts.Version)
	if err != nil {
		return err
	}
	if id == nil {
		found[address] = metadata.AddressTarget{Targets: strings.Split(targets, "\n")}
		return nil
	}
	a.ModSeq, a.Disabled, a.Created = metadata.ModSeq(modseq), disabled != 0, fromMicros(created)
	found[address] = metadata.AddressTarget{Account: a}
	return (*idColumn)(&a.ID).ScanBytes(id)
}

// SetAlias implements metadata.Store.
func (s *Store) SetAlias(ctx context.Context, alias metadata.Alias) error {
	const op = "metadata.SetAlias"
	if err := checkNames(op, append([]string{alias.Address}, alias.Targets...)...); err != nil {
		return err
	}
	if len(alias.Targets) == 0 {
		return mailerr.New(op, mailerr.Invalid, "an alias needs a target")
	}
	n, err := s.exec(ctx, op, func() *sqldb.Stmt {
		return sqlSetAlias.stmt(&s.words, 0, alias.Address, strings.Join(alias.Targets, "\n"))
	})
	if err == nil && n == 0 {
		err = mailerr.New(op, mailerr.Exists, "the address is an account's")
	}
	return err
}

// RemoveAlias implements metadata.Store.
func (s *Store) RemoveAlias(ctx context.Context, address string) error {
	const op = "metadata.RemoveAlias"
	if !storable(address) {
		return mailerr.New(op, mailerr.NotFound, "no such alias")
	}
	removed := false
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		st := sqlRemoveAlias.stmt(&s.words, 0, address)
		if err := tx.Run(ctx, st); err != nil {
			return err
		}
		if st.Affected == 0 && !removed { // a try before, whose commit was ambiguous, may have removed it
			return mailerr.New(op, mailerr.NotFound, "no such alias")
		}
		removed = true
		return nil
	}, nil)
}

// Aliases implements metadata.Store.
func (s *Store) Aliases(ctx context.Context, after string, limit int) ([]metadata.Alias, error) {
	const op = "metadata.Aliases"
	if !storable(after) {
		return nil, mailerr.New(op, mailerr.Invalid, "invalid address")
	}
	var aliases []metadata.Alias
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		aliases = nil
		st := sqlAliases.stmt(&s.words, 0, after, int64(limit))
		st.Each = func(r sqldb.Row) error {
			var a metadata.Alias
			var targets string
			err := r.Scan(&a.Address, &targets)
			a.Targets = strings.Split(targets, "\n")
			aliases = append(aliases, a)
			return err
		}
		return []*sqldb.Stmt{st}
	})
	return aliases, err
}
