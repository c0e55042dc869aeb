package sqlstore

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlInsertDomainAccounts = newText("insert accounts of domains", `INSERT INTO domain_accounts (domain_name, account_id)
		VALUES {rows (?, ?)} ON CONFLICT (domain_name, account_id) DO NOTHING`)
	sqlDeleteDomainAccount = newText("delete account of domain", `DELETE FROM domain_accounts WHERE domain_name = $1 AND account_id = $2`)

	sqlSetDomainQuota = newText("set domain quota", `INSERT INTO domain_quotas (domain_name, quota_bytes, quota_messages, used_bytes,
		used_messages, is_over) VALUES ($1, $2, $3, 0, 0, 0)
		ON CONFLICT (domain_name) DO UPDATE SET quota_bytes = excluded.quota_bytes, quota_messages = excluded.quota_messages`)
	sqlDeleteDomainQuota = newText("delete domain quota", `DELETE FROM domain_quotas WHERE domain_name = $1`)

	sqlDomainQuotas = newText("domain quotas", `SELECT domain_name, quota_bytes, quota_messages, used_bytes, used_messages, is_over
		FROM domain_quotas ORDER BY domain_name`)
	sqlSumDomain = newText("sum domain", `SELECT CAST(COALESCE(SUM(a.used_bytes), 0) AS INT8), CAST(COALESCE(SUM(a.used_messages), 0) AS INT8)
		FROM domain_accounts AS d JOIN accounts AS a ON a.account_id = d.account_id WHERE d.domain_name = $1`)
	sqlSaveDomainUse = newText("save domain use", `UPDATE domain_quotas SET used_bytes = $2, used_messages = $3,
		is_over = CASE WHEN quota_bytes > 0 AND CAST($2 AS INT8) >= quota_bytes OR quota_messages > 0 AND CAST($3 AS INT8) >= quota_messages
		THEN 1 ELSE 0 END WHERE domain_name = $1`)
	sqlAccountsOver = newText("accounts over", `SELECT d.account_id FROM domain_quotas AS q
		JOIN domain_accounts AS d ON d.domain_name = q.domain_name WHERE q.is_over = 1`)
)

// domainOf returns the domain of an address, "" if it has none.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// SetDomainQuota implements metadata.Store.
func (s *Store) SetDomainQuota(ctx context.Context, domain string, bytes, messages int64) error {
	const op = "metadata.SetDomainQuota"
	if bytes < 0 || messages < 0 {
		return mailerr.New(op, mailerr.Invalid, "a quota is not negative")
	}
	if err := checkNames(op, domain); err != nil {
		return err
	}
	_, err := s.exec(ctx, op, func() *sqldb.Stmt {
		if bytes == 0 && messages == 0 {
			return sqlDeleteDomainQuota.stmt(&s.words, 0, domain)
		}
		return sqlSetDomainQuota.stmt(&s.words, 0, domain, bytes, messages)
	})
	return err
}

// DomainQuotas implements metadata.Store.
func (s *Store) DomainQuotas(ctx context.Context) ([]metadata.DomainQuota, error) {
	var all []metadata.DomainQuota
	err := s.read(ctx, "metadata.DomainQuotas", func() []*sqldb.Stmt {
		all = nil
		st := sqlDomainQuotas.stmt(&s.words, 0)
		st.Each = func(r sqldb.Row) error {
			var q metadata.DomainQuota
			var over int64
			err := r.Scan(&q.Domain, &q.QuotaBytes, &q.QuotaMessages, &q.UsedBytes, &q.UsedMessages, &over)
			q.Over = over != 0
			all = append(all, q)
			return err
		}
		return []*sqldb.Stmt{st}
	})
	return all, err
}

// SumDomains implements metadata.Store. No clock is locked, and each domain is a statement of its own.
func (s *Store) SumDomains(ctx context.Context) error {
	const op = "metadata.SumDomains"
	all, err := s.DomainQuotas(ctx)
	if err != nil {
		return err
	}
	for _, q := range all {
		var bytes, messages int64
		err := s.read(ctx, op, func() []*sqldb.Stmt {
			st := sqlSumDomain.stmt(&s.words, 0, q.Domain)
			st.Each = func(r sqldb.Row) error { return r.Scan(&bytes, &messages) }
			return []*sqldb.Stmt{st}
		})
		if err != nil {
			return err
		}
		over := q.QuotaBytes > 0 && bytes >= q.QuotaBytes || q.QuotaMessages > 0 && messages >= q.QuotaMessages
		if bytes == q.UsedBytes && messages == q.UsedMessages && over == q.Over {
			continue
		}
		_, err = s.exec(ctx, op, func() *sqldb.Stmt { return sqlSaveDomainUse.stmt(&s.words, 0, q.Domain, bytes, messages) })
		if err != nil {
			return err
		}
	}
	return nil
}

// AccountsOver implements metadata.Store.
func (s *Store) AccountsOver(ctx context.Context) ([]metadata.AccountID, error) {
	var ids []metadata.AccountID
	err := s.read(ctx, "metadata.AccountsOver", func() []*sqldb.Stmt {
		ids = nil
		st := sqlAccountsOver.stmt(&s.words, 0)
		st.Each = func(r sqldb.Row) error {
			ids = append(ids, metadata.AccountID{})
			return r.Scan((*idColumn)(&ids[len(ids)-1]))
		}
		return []*sqldb.Stmt{st}
	})
	return ids, err
}
