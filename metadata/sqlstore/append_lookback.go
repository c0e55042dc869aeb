package sqlstore

import (
	"cmp"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlBodiesThere = newText("bodies there", `SELECT b.account_id, b.body_id, b.modseq
	FROM (VALUES {rows (CAST(? AS {blob}), CAST(? AS {blob}))}) AS v
	JOIN bodies AS b ON b.account_id = v.column1 AND b.body_id = v.column2`)

// The first message row of a body has a MODSEQ not below the body's own, so the search begins there.
var sqlMessageOfBody = newText("message of body", `SELECT uid, modseq FROM messages WHERE mailbox_id = $1 AND modseq >= $2 AND body_id = $3`)
var sqlExpungedOfBody = newText("expunged of body", `SELECT uid, modseq FROM expunged WHERE mailbox_id = $1 AND modseq >= $2 AND body_id = $3`)

// lookForBodies returns the statements that find which body rows are there.
func (a *appending) lookForBodies() []*sqldb.Stmt {
	a.known = map[bodyKey]int64{}
	stmts := rowStmts(sqlBodiesThere, &a.ledger.s.words, a.batch.Items, repeatLast, func(args []any, it *metadata.AppendItem) []any {
		return append(args, it.Account[:], it.Body.ID[:])
	})
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			var k bodyKey
			var modSeq int64
			err := r.Scan((*idColumn)(&k.account), (*idColumn)(&k.body), &modSeq)
			a.known[k] = modSeq
			return err
		}
	}
	return stmts
}

// lookForMessages returns the statements that find the messages of the bodies that are there.
func (a *appending) lookForMessages() []*sqldb.Stmt {
	a.there = map[appendKey]metadata.AppendResult{}
	var stmts []*sqldb.Stmt
	asked := map[appendKey]bool{}
	for i := range a.batch.Items {
		it := &a.batch.Items[i]
		key := appendKey{it.Mailbox, it.Body.ID}
		since, ok := a.known[bodyKey{it.Account, it.Body.ID}]
		if !ok || asked[key] {
			continue
		}
		asked[key] = true
		for _, t := range []*sqlText{sqlMessageOfBody, sqlExpungedOfBody} {
			st := t.stmt(&a.ledger.s.words, 0, it.Mailbox[:], since, it.Body.ID[:])
			st.Each = func(r sqldb.Row) error {
				var uid, modSeq int64
				if err := r.Scan(&uid, &modSeq); err != nil {
					return err
				}
				// A COPY within the mailbox has the same body and a higher UID.
				if have, ok := a.there[key]; !ok || cmp.Less(metadata.UID(uid), have.UID) {
					a.there[key] = metadata.AppendResult{UID: metadata.UID(uid), ModSeq: metadata.ModSeq(modSeq)}
				}
				return nil
			}
			stmts = append(stmts, st)
		}
	}
	return stmts
}
