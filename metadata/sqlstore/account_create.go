package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlAddressOwners = newText("address owners", `SELECT address, COALESCE(account_id, $1) FROM addresses WHERE address IN ({list})`)

	sqlInsertAccounts = newText("insert accounts", `INSERT INTO accounts (account_id, modseq, used_bytes, used_messages, quota_bytes,
		quota_messages, last_uid_validity, disabled, created) VALUES {rows (?, 1, 0, 0, ?, ?, ?, 0, ?)}`)

	sqlInsertCredentials = newText("insert credentials", `INSERT INTO credentials (account_id, address, password_hash)
		VALUES {rows (?, ?, ?)}`)

	sqlInsertAddresses = newText("insert addresses", `INSERT INTO addresses (address, account_id, targets) VALUES {rows (?, ?, '')}`)
)

// maxCreate is how many mailboxes (with their accounts) one transaction of CreateAccounts stores.
const maxCreate = 2000

// CreateAccounts implements metadata.Store. An account that is there under the same id and address is passed over without an
// error: a repeated call.
func (s *Store) CreateAccounts(ctx context.Context, accounts []metadata.NewAccount) ([]error, error) {
	const op = "metadata.CreateAccounts"
	errs := make([]error, len(accounts))
	first := map[string]int{}
	var good []int
	for i := range accounts {
		a := &accounts[i]
		errs[i] = checkNewAccount(op, a)
		if errs[i] != nil {
			continue
		}
		if _, ok := first[a.Address]; ok {
			errs[i] = addressTaken(op)
			continue
		}
		first[a.Address] = i
		good = append(good, i)
	}
	for len(good) > 0 {
		n, boxes := 0, 0
		for n < len(good) && n < maxList && (n == 0 || boxes < maxCreate) {
			boxes += len(accounts[good[n]].Mailboxes)
			n++
		}
		if err := s.createSome(ctx, op, accounts, good[:n], errs); err != nil {
			return nil, err
		}
		good = good[n:]
	}
	return errs, nil
}

func checkNewAccount(op string, a *metadata.NewAccount) error {
	if a.QuotaBytes < 0 || a.QuotaMessages < 0 || !storable(a.PasswordHash) {
		return mailerr.New(op, mailerr.Invalid, "invalid account")
	}
	if err := checkNames(op, a.Address); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range a.Mailboxes {
		name := a.Mailboxes[i].Name
		if err := checkNames(op, name); err != nil {
			return err
		}
		if names[name] {
			return mailerr.New(op, mailerr.Invalid, "two mailboxes have the same name")
		}
		names[name] = true
	}
	return nil
}

func addressTaken(op string) error {
	return mailerr.New(op, mailerr.Exists, "the address is taken")
}

// createSome stores the accounts with the given indexes in one transaction. No clock is there to be locked yet: who inserts
// an address first has it, the other's transaction fails on the unique key and is tried again.
func (s *Store) createSome(ctx context.Context, op string, accounts []metadata.NewAccount, indexes []int, errs []error) error {
	slices.SortFunc(indexes, func(i, j int) int { return bytes.Compare([]byte(accounts[i].Address), []byte(accounts[j].Address)) })
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		owners := map[string]metadata.AccountID{}
		var none metadata.AccountID // stands for an alias
		look := listStmts(sqlAddressOwners, &s.words, indexes, func(i *int) any { return accounts[*i].Address }, none[:])
		for _, st := range look {
			st.Each = func(r sqldb.Row) error {
				var address string
				var id metadata.AccountID
				err := r.Scan(&address, (*idColumn)(&id))
				owners[address] = id
				return err
			}
		}
		if err := tx.Run(ctx, look...); err != nil {
			return err
		}
		var fresh []*metadata.NewAccount
		for _, i := range indexes {
			errs[i] = nil
			owner, taken := owners[accounts[i].Address]
			switch {
			case !taken:
				fresh = append(fresh, &accounts[i])
			case owner != accounts[i].ID:
				errs[i] = addressTaken(op)
			}
		}
		stmts, err := s.insertAccounts(op, fresh)
		if err != nil {
			return err
		}
		return tx.Run(ctx, stmts...)
	}, nil)
}

func (s *Store) insertAccounts(op string, fresh []*metadata.NewAccount) ([]*sqldb.Stmt, error) {
	now := s.now()
	var boxes []*metadata.Mailbox
	var subscriptions []*sqldb.Stmt
	var subscribed []subscription
	last := make(map[metadata.AccountID]int64, len(fresh))
	for _, a := range fresh {
		validity := int64(0)
		for _, m := range a.Mailboxes {
			var err error
			if validity, err = nextUIDValidity(op, now.Unix(), validity); err != nil {
				return nil, err
			}
			boxes = append(boxes, newMailboxRow(a.ID, m, validity, 1, micros(now)))
			if m.Subscribed {
				subscribed = append(subscribed, subscription{a.ID, m.Name})
			}
		}
		last[a.ID] = validity
	}
	w := &s.words
	stmts := rowStmts(sqlInsertAddresses, w, fresh, exact, func(args []any, a **metadata.NewAccount) []any {
		return append(args, (*a).Address, (*a).ID[:])
	})
	stmts = append(stmts, rowStmts(sqlInsertAccounts, w, fresh, exact, func(args []any, a **metadata.NewAccount) []any {
		return append(args, (*a).ID[:], (*a).QuotaBytes, (*a).QuotaMessages, last[(*a).ID], micros(now))
	})...)
	stmts = append(stmts, rowStmts(sqlInsertCredentials, w, fresh, exact, func(args []any, a **metadata.NewAccount) []any {
		return append(args, (*a).ID[:], (*a).Address, (*a).PasswordHash)
	})...)
	stmts = append(stmts, rowStmts(sqlInsertDomainAccounts, w, fresh, exact, func(args []any, a **metadata.NewAccount) []any {
		return append(args, domainOf((*a).Address), (*a).ID[:])
	})...)
	stmts = append(stmts, s.insertMailboxes(boxes)...)
	subscriptions = rowStmts(sqlInsertSubscriptions, w, subscribed, repeatLast, func(args []any, sub *subscription) []any {
		return append(args, sub.account[:], sub.name)
	})
	return append(stmts, subscriptions...), nil
}

type subscription struct {
	account metadata.AccountID
	name    string
}
