package sqlstore

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlAnnotationNames = newText("names of annotations", `SELECT account_id, entry, payer_id, size FROM annotations
		WHERE mailbox_id = $1 AND account_id IN ({list})`)
	sqlAnnotationUse = newText("use of annotations", `SELECT payer_id, CAST(SUM(size + LENGTH(entry)) AS INT8) FROM annotations
		WHERE payer_id IN ({list}) GROUP BY payer_id`)
	sqlPutAnnotation = newText("put annotation", `INSERT INTO annotations (mailbox_id, account_id, entry, payer_id, size, digest, value)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mailbox_id, account_id, entry)
		DO UPDATE SET size = excluded.size, digest = excluded.digest, value = excluded.value`)
	sqlDeleteAnnotation = newText("delete annotation", `DELETE FROM annotations WHERE mailbox_id = $1 AND account_id = $2 AND entry = $3`)

	sqlAddAnnotationLock = newText("add lock of annotations", `INSERT INTO annotations (mailbox_id, account_id, entry, payer_id, size, digest, value)
		VALUES ($1, $2, $3, $2, 0, 0, $4) ON CONFLICT (mailbox_id, account_id, entry) DO NOTHING`)
	sqlLockAnnotations = newText("lock annotations", `SELECT size FROM annotations WHERE mailbox_id = $1 AND account_id = $2 AND entry = $3
		{for update}`)

	sqlCopyAnnotations = newText("copy annotations", `INSERT INTO annotations (mailbox_id, account_id, entry, payer_id, size, digest, value)
		SELECT CAST($1 AS {blob}), account_id, entry, payer_id, size, digest, value FROM annotations
		WHERE mailbox_id = $2 AND account_id IN ({list})
		ON CONFLICT (mailbox_id, account_id, entry) DO NOTHING`)

	sqlDeleteAnnotationsOfMailbox = newText("delete annotations of mailbox", `DELETE FROM annotations WHERE mailbox_id = $1`)
	sqlDeleteAnnotationsOfPayer   = newText("delete annotations of payer", `DELETE FROM annotations WHERE payer_id = $1`)
	sqlDeleteAnnotationsOfAccount = newText("delete annotations of account's mailboxes", `DELETE FROM annotations WHERE mailbox_id IN
		(SELECT mailbox_id FROM mailboxes WHERE account_id = $1)`)
)

// annotationKey is an annotation of one mailbox.
type annotationKey struct {
	account metadata.AccountID
	entry   string
}

// annotations is what a transaction knows of a mailbox's annotations and of what those who pay for them pay for.
type annotations struct {
	sizes map[annotationKey]int64 // of values
	count map[metadata.AccountID]int
	use   map[metadata.AccountID]int64
}

// loadAnnotations returns the statements that read a mailbox's annotations, without values, and what the payers pay for.
func (s *Store) loadAnnotations(a *annotations, mailbox metadata.MailboxID, accounts, payers []metadata.AccountID) []*sqldb.Stmt {
	*a = annotations{map[annotationKey]int64{}, map[metadata.AccountID]int{}, map[metadata.AccountID]int64{}}
	id := func(id *metadata.AccountID) any { return id[:] }
	names := listStmts(sqlAnnotationNames, &s.words, accounts, id, mailbox[:])
	names[0].Each = func(r sqldb.Row) error {
		var k annotationKey
		var payer metadata.AccountID
		var size int64
		if err := r.Scan((*idColumn)(&k.account), &k.entry, (*idColumn)(&payer), &size); err != nil || k.entry == annotationLock {
			return err
		}
		a.sizes[k] = size
		a.count[k.account]++
		return nil
	}
	use := listStmts(sqlAnnotationUse, &s.words, payers, id)
	use[0].Each = func(r sqldb.Row) error {
		var payer metadata.AccountID
		var n int64
		err := r.Scan((*idColumn)(&payer), &n)
		a.use[payer] = n
		return err
	}
	return append(names, use...)
}

func errAnnotationsFull(op string) error {
	return mailerr.New(op, mailerr.Limit, "there are too many annotations")
}

// SetAnnotations implements metadata.Store. Doing it twice is doing it once.
func (s *Store) SetAnnotations(ctx context.Context, req metadata.SetAnnotations) error {
	const op = "metadata.SetAnnotations"
	server := req.Mailbox == metadata.ServerAnnotations
	changes := make(map[annotationKey][]byte, len(req.Changes))
	var order []annotationKey
	serverShared := false
	for _, c := range req.Changes {
		if err := checkAnnotation(op, c); err != nil {
			return err
		}
		k := annotationKey{annotationAccount(c.Entry, req.Account), c.Entry}
		if _, again := changes[k]; !again {
			order = append(order, k)
		}
		changes[k] = c.Value
		serverShared = serverShared || server && k.account == nobody
	}
	locked := []metadata.AccountID{req.Account}
	if !server {
		locked = append(locked, req.Owner)
	}
	payer := func(k annotationKey) metadata.AccountID {
		if k.account == nobody && !server {
			return req.Owner
		}
		return k.account
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		stmts := l.lock(append([]metadata.AccountID(nil), locked...)...)
		if serverShared { // no clock covers these
			stmts = append(stmts, sqlAddAnnotationLock.stmt(&s.words, 0, req.Mailbox[:], nobody[:], annotationLock, []byte{}),
				sqlLockAnnotations.stmt(&s.words, 0, req.Mailbox[:], nobody[:], annotationLock))
		}
		if !server {
			stmts = append(stmts, l.load(req.Mailbox)...)
		}
		var have annotations
		stmts = append(stmts, s.loadAnnotations(&have, req.Mailbox, []metadata.AccountID{req.Account, nobody}, locked)...)
		if err := tx.Run(ctx, stmts...); err != nil {
			return err
		}
		if l.clocks[req.Account] == nil {
			return mailerr.New(op, mailerr.NotFound, noAccount)
		}
		if !server {
			if _, _, err := l.mailbox(op, req.Owner, req.Mailbox, noMailbox); err != nil {
				return err
			}
		}
		stmts = nil
		added := map[metadata.AccountID]bool{}
		grown := map[metadata.AccountID]int64{}
		for _, k := range order {
			value := changes[k]
			size, there := have.sizes[k]
			switch {
			case value == nil && !there:
				continue
			case value == nil:
				have.count[k.account]--
				grown[payer(k)] -= size + int64(len(k.entry))
				stmts = append(stmts, sqlDeleteAnnotation.stmt(&s.words, 0, req.Mailbox[:], k.account[:], k.entry))
				continue
			case !there:
				have.count[k.account]++
				added[k.account] = true
				grown[payer(k)] += int64(len(k.entry))
			}
			grown[payer(k)] += int64(len(value)) - size
			p := payer(k)
			stmts = append(stmts, sqlPutAnnotation.stmt(&s.words, 0, req.Mailbox[:], k.account[:], k.entry, p[:], int64(len(value)),
				int64(metadata.DigestAnnotation(value)), value))
		}
		for account := range added {
			if have.count[account] > metadata.MaxAnnotations {
				return errAnnotationsFull(op)
			}
		}
		for p, n := range grown {
			if p != nobody && n > 0 && have.use[p]+n > metadata.MaxAnnotationBytes {
				return errAnnotationsFull(op)
			}
		}
		if len(stmts) == 0 {
			return nil
		}
		return tx.Run(ctx, stmts...)
	}, nil)
}

func checkAnnotation(op string, c metadata.AnnotationChange) error {
	switch {
	case len(c.Entry) > metadata.MaxAnnotationName || !storable(c.Entry) ||
		!metadata.IsPrivateAnnotation(c.Entry) && !strings.HasPrefix(c.Entry, metadata.SharedAnnotations+"/"):
		return mailerr.New(op, mailerr.Invalid, "not a name for an annotation")
	case len(c.Value) > metadata.MaxAnnotationValue:
		return mailerr.New(op, mailerr.TooBig, "the annotation is too large")
	}
	return nil
}

// CopyAnnotations implements metadata.Store.
func (s *Store) CopyAnnotations(ctx context.Context, account metadata.AccountID, from, to metadata.MailboxID) error {
	const op = "metadata.CopyAnnotations"
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		l := s.newLedger()
		var have, copied annotations
		both := []metadata.AccountID{account, nobody}
		stmts := append(append(l.lock(account), l.load(from, to)...), s.loadAnnotations(&have, from, both, both[:1])...)
		if err := tx.Run(ctx, append(stmts, s.loadAnnotations(&copied, to, both, both[:1])...)...); err != nil {
			return err
		}
		for _, id := range []metadata.MailboxID{from, to} {
			if _, _, err := l.mailbox(op, account, id, noMailbox); err != nil {
				return err
			}
		}
		if len(have.sizes) == 0 {
			return nil
		}
		total := have.use[account]
		for k, size := range have.sizes {
			if _, there := copied.sizes[k]; !there { // by a try before, whose commit was ambiguous
				total += size + int64(len(k.entry))
			}
		}
		if total > metadata.MaxAnnotationBytes {
			return errAnnotationsFull(op)
		}
		return tx.Run(ctx, listStmts(sqlCopyAnnotations, &s.words, both, func(id *metadata.AccountID) any { return id[:] }, to[:], from[:])...)
	}, nil)
}
