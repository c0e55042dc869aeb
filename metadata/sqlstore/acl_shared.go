package sqlstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// An owner is known by an address or by the domain whose shared account it is; both lead to one account.
const (
	ownerByAddress = `(SELECT account_id FROM addresses WHERE address = $1)`
	ownerByDomain  = `(SELECT account_id FROM shared_accounts WHERE serves = $1)`

	mailboxesOf = `SELECT ` + mailboxColumns + ` FROM mailboxes WHERE name IN ({list}) AND account_id = `
	aclsOf      = `SELECT a.mailbox_id, a.grantee, a.denies, a.rights FROM mailboxes AS m JOIN acl AS a ON a.mailbox_id = m.mailbox_id
		WHERE m.name IN ({list}) AND m.account_id = `
	orderACL = ` ORDER BY a.mailbox_id, a.grantee, a.denies`
)

var (
	sqlMailboxesOfAddress = newText("mailboxes of address", mailboxesOf+ownerByAddress)
	sqlACLsOfAddress      = newText("acls of address", aclsOf+ownerByAddress+orderACL)
	sqlMailboxesOfDomain  = newText("mailboxes of shared account", mailboxesOf+ownerByDomain)
	sqlACLsOfDomain       = newText("acls of shared account", aclsOf+ownerByDomain+orderACL)

	sqlSharedEntries = newText("shared entries", `SELECT mailbox_id, grantee, denies, rights FROM acl WHERE grantee IN ({list})
		ORDER BY mailbox_id, grantee, denies LIMIT $1`)

	sqlSharedMailboxes = newText("shared mailboxes", `SELECT `+prefixed("m", mailboxColumns)+`, k.address, COALESCE(s.serves, '')
		FROM acl AS a JOIN mailboxes AS m ON m.mailbox_id = a.mailbox_id JOIN credentials AS k ON k.account_id = m.account_id
		LEFT JOIN shared_accounts AS s ON s.account_id = m.account_id
		WHERE a.grantee IN ({list}) AND a.denies = 0 ORDER BY m.mailbox_id LIMIT $1`)

	sqlSharedAccounts = newText("shared accounts", `SELECT s.serves, s.account_id, k.address FROM shared_accounts AS s
		JOIN credentials AS k ON k.account_id = s.account_id ORDER BY s.serves`)
	sqlSharedAccountsOf = newText("shared accounts of", `SELECT serves, account_id FROM shared_accounts WHERE serves = $1 OR account_id = $2`)
	sqlInsertShared     = newText("insert shared account", `INSERT INTO shared_accounts (serves, account_id) VALUES ($1, $2)
		ON CONFLICT (serves) DO NOTHING`)
	sqlServes       = newText("domain of shared account", `SELECT serves FROM shared_accounts WHERE account_id = $1`)
	sqlDeleteShared = newText("delete shared account", `DELETE FROM shared_accounts WHERE account_id = $1`)
)

// prefixed puts a table's name before each column of a list.
func prefixed(table, columns string) string {
	list := strings.Split(columns, ",")
	for i := range list {
		list[i] = table + "." + strings.TrimSpace(list[i])
	}
	return strings.Join(list, ", ")
}

// maxNames is how many names MailboxesOf takes.
const maxNames = 128

// MailboxesOf implements metadata.Store.
func (s *Store) MailboxesOf(ctx context.Context, owner string, names []string) ([]metadata.MailboxACL, error) {
	const op = "metadata.MailboxesOf"
	if len(names) > maxNames {
		return nil, mailerr.New(op, mailerr.Invalid, "too many names")
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !storable(n) })
	if len(names) == 0 || !storable(owner) {
		return nil, nil
	}
	boxesText, aclText, key := sqlMailboxesOfAddress, sqlACLsOfAddress, owner
	if domain, ok := strings.CutPrefix(owner, "@"); ok {
		boxesText, aclText, key = sqlMailboxesOfDomain, sqlACLsOfDomain, domain
	}
	var found []metadata.MailboxACL
	var acls map[metadata.MailboxID]metadata.ACL
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		found, acls = nil, map[metadata.MailboxID]metadata.ACL{}
		boxes := listStmts(boxesText, &s.words, names, func(n *string) any { return *n }, key)
		boxes[0].Each = func(r sqldb.Row) error {
			found = append(found, metadata.MailboxACL{})
			return scanMailbox(r, &found[len(found)-1].Mailbox)
		}
		entries := listStmts(aclText, &s.words, names, func(n *string) any { return *n }, key)
		return append(boxes, eachACL(entries[0], acls))
	})
	for i := range found {
		found[i].ACL = acls[found[i].ID]
	}
	return found, err
}

// SharedWith implements metadata.Store.
func (s *Store) SharedWith(ctx context.Context, grantees []string, limit int) ([]metadata.SharedMailbox, error) {
	const op = "metadata.SharedWith"
	grantees = slices.DeleteFunc(slices.Clone(grantees), func(g string) bool { return g == "" || !storable(g) })
	if len(grantees) == 0 || limit <= 0 {
		return nil, nil
	}
	if len(grantees) > maxNames {
		return nil, mailerr.New(op, mailerr.Invalid, "too many grantees")
	}
	arg := func(g *string) any { return *g }
	var found []metadata.SharedMailbox
	var acls map[metadata.MailboxID]metadata.ACL
	var last metadata.MailboxID
	n := 0
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		found, acls, n = nil, map[metadata.MailboxID]metadata.ACL{}, 0
		boxes := listStmts(sqlSharedMailboxes, &s.words, grantees, arg, int64(limit))
		boxes[0].Each = func(r sqldb.Row) error {
			m, err := scanShared(r)
			if err == nil && (len(found) == 0 || found[len(found)-1].ID != m.ID) {
				found = append(found, m)
			}
			return err
		}
		entries := listStmts(sqlSharedEntries, &s.words, grantees, arg, int64(limit))
		entries[0].Each = func(r sqldb.Row) error {
			n++
			id, err := scanACL(r, acls)
			last = id
			return err
		}
		return append(boxes, entries...)
	})
	if err != nil {
		return nil, err
	}
	if n >= limit {
		// There may be a denial behind the end: what is not wholly known is not shared.
		delete(acls, last)
	}
	found = slices.DeleteFunc(found, func(m metadata.SharedMailbox) bool { return acls[m.ID] == nil })
	for i := range found {
		found[i].ACL = acls[found[i].ID]
	}
	return found, nil
}

// scanShared reads a mailbox with its owner's address and the domain it serves.
func scanShared(r sqldb.Row) (metadata.SharedMailbox, error) {
	var m metadata.SharedMailbox
	err := scanMailbox(scanMore{r, []any{&m.Owner, &m.Domain}}, &m.Mailbox)
	return m, err
}

// scanMore is a row with columns behind those that a scan function asks for.
type scanMore struct {
	sqldb.Row
	more []any
}

// Scan implements sqldb.Row.
func (s scanMore) Scan(dest ...any) error { return s.Row.Scan(append(dest, s.more...)...) }

var sqlACLByName = newText("acl by name", `SELECT a.mailbox_id, a.grantee, a.denies, a.rights FROM mailboxes AS m
	JOIN acl AS a ON a.mailbox_id = m.mailbox_id WHERE m.account_id = $1 AND m.name = $2 ORDER BY a.grantee, a.denies`)

// MailboxForPost implements metadata.Store.
func (s *Store) MailboxForPost(ctx context.Context, account metadata.AccountID, name string) (*metadata.MailboxACL, string, error) {
	const op = "metadata.MailboxForPost"
	if !storable(name) {
		return nil, "", mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	var box *metadata.Mailbox
	var acls map[metadata.MailboxID]metadata.ACL
	var serves string
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		box, acls, serves = nil, map[metadata.MailboxID]metadata.ACL{}, ""
		byName := sqlMailboxByName.stmt(&s.words, 0, account[:], name)
		byName.Each = scanOneMailbox(&box)
		domain := sqlServes.stmt(&s.words, 0, account[:])
		domain.Each = func(r sqldb.Row) error { return r.Scan(&serves) }
		return []*sqldb.Stmt{byName, eachACL(sqlACLByName.stmt(&s.words, 0, account[:], name), acls), domain}
	})
	switch {
	case err != nil:
		return nil, "", err
	case box == nil:
		return nil, "", mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	return &metadata.MailboxACL{Mailbox: *box, ACL: acls[box.ID]}, serves, nil
}

// SetSharedAccount implements metadata.Store.
func (s *Store) SetSharedAccount(ctx context.Context, domain string, account metadata.AccountID) error {
	const op = "metadata.SetSharedAccount"
	if err := checkNames(op, domain); err != nil {
		return err
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger() // the lock keeps the account from being removed meanwhile
		there, other := false, false
		st := sqlSharedAccountsOf.stmt(&s.words, 0, domain, account[:])
		st.Each = func(r sqldb.Row) error {
			var d string
			var id metadata.AccountID
			err := r.Scan(&d, (*idColumn)(&id))
			same := d == domain && id == account
			there, other = there || same, other || !same
			return err
		}
		if err := tx.Run(ctx, append(l.lock(account), st)...); err != nil {
			return err
		}
		switch {
		case l.clocks[account] == nil:
			return mailerr.New(op, mailerr.NotFound, noAccount)
		case other:
			return mailerr.New(op, mailerr.Exists, "the domain has a shared account already")
		case there:
			return nil
		}
		insert := sqlInsertShared.stmt(&s.words, 0, domain, account[:])
		if err := tx.Run(ctx, insert); err != nil {
			return err
		}
		if insert.Affected == 0 {
			return mailerr.New(op, mailerr.Exists, "the domain has a shared account already")
		}
		return nil
	}, nil)
}

// SharedAccounts implements metadata.Store.
func (s *Store) SharedAccounts(ctx context.Context) ([]metadata.SharedAccount, error) {
	var all []metadata.SharedAccount
	err := s.read(ctx, "metadata.SharedAccounts", func() []*sqldb.Stmt {
		all = nil
		st := sqlSharedAccounts.stmt(&s.words, 0)
		st.Each = func(r sqldb.Row) error {
			var a metadata.SharedAccount
			err := r.Scan(&a.Domain, (*idColumn)(&a.Account), &a.Address)
			all = append(all, a)
			return err
		}
		return []*sqldb.Stmt{st}
	})
	return all, err
}
