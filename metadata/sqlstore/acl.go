package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlACL = newText("acl", `SELECT mailbox_id, grantee, denies, rights FROM acl WHERE mailbox_id = $1 ORDER BY grantee, denies`)

	sqlSetACLEntry = newText("set acl entry", `INSERT INTO acl (mailbox_id, grantee, denies, rights) VALUES ($1, $2, $3, $4)
		ON CONFLICT (mailbox_id, grantee, denies) DO UPDATE SET rights = excluded.rights`)
	sqlDeleteACLEntry = newText("delete acl entry", `DELETE FROM acl WHERE mailbox_id = $1 AND grantee = $2 AND denies = $3`)

	sqlInheritACL = newText("inherit acl", `INSERT INTO acl (mailbox_id, grantee, denies, rights)
		SELECT CAST($1 AS {blob}), grantee, denies, rights FROM acl WHERE mailbox_id = $2
		ON CONFLICT (mailbox_id, grantee, denies) DO NOTHING`)

	sqlDeleteACL          = newText("delete acl", `DELETE FROM acl WHERE mailbox_id = $1`)
	sqlDeleteACLOfAccount = newText("delete acl of account", `DELETE FROM acl WHERE mailbox_id IN
		(SELECT mailbox_id FROM mailboxes WHERE account_id = $1)`)
	sqlDeleteACLOfGrantee = newText("delete acl of grantee", `DELETE FROM acl WHERE grantee = $1`)
)

// scanACL appends an entry to the ACL of its mailbox, whose id it returns.
func scanACL(r sqldb.Row, to map[metadata.MailboxID]metadata.ACL) (id metadata.MailboxID, err error) {
	var e metadata.ACLEntry
	var denies, rights int64
	if err := r.Scan((*idColumn)(&id), &e.Grantee, &denies, &rights); err != nil {
		return id, err
	}
	if rights < 0 || rights > int64(metadata.AllRights) {
		return id, fmt.Errorf("the ACL of mailbox %v has rights %d", id, rights)
	}
	e.Denies, e.Rights = denies != 0, metadata.Rights(rights)
	to[id] = append(to[id], e)
	return id, nil
}

// eachACL makes a statement's rows entries of the ACLs.
func eachACL(st *sqldb.Stmt, to map[metadata.MailboxID]metadata.ACL) *sqldb.Stmt {
	st.Each = func(r sqldb.Row) error {
		_, err := scanACL(r, to)
		return err
	}
	return st
}

func (s *Store) aclOf(id metadata.MailboxID, to map[metadata.MailboxID]metadata.ACL) *sqldb.Stmt {
	return eachACL(sqlACL.stmt(&s.words, 0, id[:]), to)
}

// ACL implements metadata.Store.
func (s *Store) ACL(ctx context.Context, id metadata.MailboxID) (metadata.ACL, error) {
	var acls map[metadata.MailboxID]metadata.ACL
	err := s.read(ctx, "metadata.ACL", func() []*sqldb.Stmt {
		acls = map[metadata.MailboxID]metadata.ACL{}
		return []*sqldb.Stmt{s.aclOf(id, acls)}
	})
	return acls[id], err
}

// SetACL implements metadata.Store. Doing it twice is doing it once, whatever the operation.
func (s *Store) SetACL(ctx context.Context, owner metadata.AccountID, id metadata.MailboxID, change metadata.ACLChange) error {
	const op = "metadata.SetACL"
	if err := checkNames(op, change.Grantee); err != nil {
		return err
	}
	if change.Rights > metadata.AllRights {
		return mailerr.New(op, mailerr.Invalid, "no such right")
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		acls := map[metadata.MailboxID]metadata.ACL{}
		if err := tx.Run(ctx, append(append(l.lock(owner), l.load(id)...), s.aclOf(id, acls))...); err != nil {
			return err
		}
		if _, _, err := l.mailbox(op, owner, id, noMailbox); err != nil {
			return err
		}
		var have metadata.Rights
		at := slices.IndexFunc(acls[id], func(e metadata.ACLEntry) bool { return e.Grantee == change.Grantee && e.Denies == change.Denies })
		if at >= 0 {
			have = acls[id][at].Rights
		}
		rights := change.Rights
		switch change.Op {
		case metadata.RightsReplace:
		case metadata.RightsAdd:
			rights |= have
		case metadata.RightsRemove:
			rights = have &^ rights
		}
		switch {
		case at < 0 && rights == 0, at >= 0 && rights == have:
			return nil
		case rights == 0:
			return tx.Run(ctx, sqlDeleteACLEntry.stmt(&s.words, 0, id[:], change.Grantee, denies(change.Denies)))
		case at < 0 && len(acls[id]) >= metadata.MaxACLEntries:
			return mailerr.New(op, mailerr.Limit, "the access control list is full")
		}
		return tx.Run(ctx, sqlSetACLEntry.stmt(&s.words, 0, id[:], change.Grantee, denies(change.Denies), int64(rights)))
	}, nil)
}

func denies(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
