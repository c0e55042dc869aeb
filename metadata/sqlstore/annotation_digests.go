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

var (
	sqlAnnotationDigests       = newText("digests of annotations", `SELECT mailbox_id, entry, digest FROM annotations WHERE payer_id = $1`)
	sqlSharedAnnotationDigests = newText("digests of shared annotations", `SELECT mailbox_id, entry, digest FROM annotations
		WHERE account_id = $1 AND mailbox_id IN ({list})`)
)

// AnnotationDigests implements metadata.Store. An account pays for its private annotations and for the shared ones of its mailboxes.
func (s *Store) AnnotationDigests(ctx context.Context, account metadata.AccountID, others []metadata.MailboxID) ([]metadata.AnnotationState, error) {
	const op = "metadata.AnnotationDigests"
	var found []metadata.AnnotationState
	each := func(r sqldb.Row) error {
		var a metadata.AnnotationState
		if err := r.Scan((*idColumn)(&a.Mailbox), &a.Entry, (*int64)(&a.Digest)); err != nil || a.Entry == annotationLock {
			return err
		}
		if len(found) >= metadata.MaxAnnotationsCompared {
			return mailerr.New(op, mailerr.Limit, "these are too many annotations at once")
		}
		found = append(found, a)
		return nil
	}
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		found = nil
		stmts := append([]*sqldb.Stmt{sqlAnnotationDigests.stmt(&s.words, 0, account[:])},
			listStmts(sqlSharedAnnotationDigests, &s.words, others, func(m *metadata.MailboxID) any { return m[:] }, nobody[:])...)
		for _, st := range stmts {
			st.Each = each
		}
		return stmts
	})
	if err != nil {
		return nil, err
	}
	order := func(a, b metadata.AnnotationState) int {
		return cmp.Or(bytes.Compare(a.Mailbox[:], b.Mailbox[:]), strings.Compare(a.Entry, b.Entry))
	}
	slices.SortFunc(found, order)
	return slices.CompactFunc(found, func(a, b metadata.AnnotationState) bool { return order(a, b) == 0 }), nil
}
