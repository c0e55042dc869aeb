package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const (
	readAnnotations = `SELECT mailbox_id, entry, size, CASE WHEN size <= $1 THEN value END FROM annotations WHERE account_id = $2 AND `
	// annotationLock is the entry of a row that holds no annotation: who changes what the server shares locks it.
	annotationLock = ""
)

var (
	sqlAnnotations       = newText("annotations", readAnnotations+`mailbox_id = $3 AND entry IN ({list})`)
	sqlAnnotationsOfMany = newText("annotations of many", readAnnotations+`entry = $3 AND mailbox_id IN ({list})`)
	sqlAnnotationsBelow  = newText("annotations below", readAnnotations+`entry >= $3 AND entry < $4 AND mailbox_id IN ({list})`)
)

// nobody is the account_id of annotations that are no account's own, and the payer of the server's.
var nobody metadata.AccountID

func annotationAccount(entry string, account metadata.AccountID) metadata.AccountID {
	if metadata.IsPrivateAnnotation(entry) {
		return account
	}
	return nobody
}

// byAccount returns entries by whose they are.
func byAccount(entries []string, account metadata.AccountID) map[metadata.AccountID][]string {
	of := map[metadata.AccountID][]string{}
	for _, e := range entries {
		id := annotationAccount(e, account)
		of[id] = append(of[id], e)
	}
	return of
}

// Annotations implements metadata.Store.
func (s *Store) Annotations(ctx context.Context, q metadata.AnnotationQuery) ([]metadata.Annotation, error) {
	const op = "metadata.Annotations"
	var found []metadata.Annotation
	var total int64
	each := func(r sqldb.Row) error {
		var a metadata.Annotation
		if err := r.Scan((*idColumn)(&a.Mailbox), &a.Entry, &a.Size, &a.Value); err != nil {
			return err
		}
		if a.Size <= q.MaxSize {
			if a.Value == nil {
				a.Value = []byte{}
			}
			if total += a.Size; total > metadata.MaxAnnotationsRead {
				return mailerr.New(op, mailerr.Limit, "these are too many annotations at once")
			}
		}
		found = append(found, a)
		return nil
	}
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		found, total = nil, 0
		var stmts []*sqldb.Stmt
		byMailbox := func(t *sqlText, entry string, keys ...any) {
			account := annotationAccount(entry, q.Account)
			args := append([]any{q.MaxSize, account[:]}, keys...)
			stmts = append(stmts, listStmts(t, &s.words, q.Mailboxes, func(m *metadata.MailboxID) any { return m[:] }, args...)...)
		}
		if len(q.Mailboxes) == 1 {
			for account, entries := range byAccount(q.Entries, q.Account) {
				stmts = append(stmts, listStmts(sqlAnnotations, &s.words, entries, func(e *string) any { return *e }, q.MaxSize, account[:], q.Mailboxes[0][:])...)
			}
		} else {
			for _, e := range q.Entries {
				byMailbox(sqlAnnotationsOfMany, e, e)
			}
		}
		for _, e := range q.Below {
			byMailbox(sqlAnnotationsBelow, e, e+"/", e+"0") // "0" comes after "/"
		}
		for _, st := range stmts {
			st.Each = each
		}
		return stmts
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b metadata.Annotation) int {
		return cmp.Or(bytes.Compare(a.Mailbox[:], b.Mailbox[:]), strings.Compare(a.Entry, b.Entry))
	})
	return slices.CompactFunc(found, func(a, b metadata.Annotation) bool { return a.Mailbox == b.Mailbox && a.Entry == b.Entry }), nil
}
