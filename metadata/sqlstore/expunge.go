package sqlstore

import (
	"context"
	"fmt"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const expungedColumns = `mailbox_id, uid, modseq, account_id, body_id, flags, keywords, internal_date, save_date, size, expunged_at`

const selectForExpunged = `SELECT mailbox_id, uid, CAST($1 AS INT8), CAST($2 AS {blob}), body_id, flags, keywords, internal_date,
	save_date, size, CAST($3 AS INT8) FROM messages WHERE mailbox_id = $4`

var (
	sqlKeepPoints = newText("keep points as expunged", `INSERT INTO expunged (`+expungedColumns+`) `+selectForExpunged+` AND uid IN ({list})`)
	sqlKeepSpan   = newText("keep a span as expunged", `INSERT INTO expunged (`+expungedColumns+`) `+selectForExpunged+` AND uid BETWEEN $5 AND $6`)

	sqlDeletePoints = newText("delete points", `DELETE FROM messages WHERE mailbox_id = $1 AND uid IN ({list})`)
	sqlDeleteSpan   = newText("delete a span", `DELETE FROM messages WHERE mailbox_id = $1 AND uid BETWEEN $2 AND $3`)

	sqlExpungedAt = newText("expunged at", `SELECT modseq, expunged_at FROM expunged WHERE mailbox_id = $1 AND uid = $2`)
)

// Expunge implements metadata.Store.
func (s *Store) Expunge(ctx context.Context, req metadata.ExpungeRequest) (*metadata.ExpungeResult, error) {
	const op = "metadata.Expunge"
	res := &metadata.ExpungeResult{}
	rest := newPicker(req.Mailbox, req.UIDs)
	for first := true; first || !rest.done(); first = false {
		var t *expunging
		err := s.change(ctx, op, func(tx sqldb.Tx) error {
			t = &expunging{op: op, s: s, req: &req, rest: rest, at: micros(s.now())}
			return t.run(ctx, tx)
		}, func(tx sqldb.Tx) (bool, error) { return t.happened(ctx, tx) })
		if err != nil {
			return nil, err
		}
		rest = t.rest
		res.ModSeq = t.highest
		for _, m := range t.gone {
			res.UIDs = appendUID(res.UIDs, m.UID)
		}
	}
	return res, nil
}

// expunging is one try of one transaction of an Expunge.
type expunging struct {
	op   string
	s    *Store
	req  *metadata.ExpungeRequest
	rest picker
	at   int64 // microseconds

	gone    []*picked
	highest metadata.ModSeq
}

func (t *expunging) run(ctx context.Context, tx sqldb.Tx) error {
	l, w := t.s.newLedger(), &t.s.words
	stmts := append(l.lock(t.req.Account), l.load(t.req.Mailbox)...)
	var rows []picked
	early := len(t.rest.points) > 0 // a whole mailbox is not read before it is known to have deleted messages
	if early {
		stmts = append(stmts, t.rest.next(w, t.s.maxChanges, &rows))
	}
	if err := tx.Run(ctx, stmts...); err != nil {
		return err
	}
	box, clock, err := l.mailbox(t.op, t.req.Account, t.req.Mailbox, noMailbox)
	if err != nil {
		return err
	}
	t.highest = box.HighestModSeq
	if box.Messages == 0 || t.req.OnlyDeleted && box.Deleted == 0 {
		t.rest.points, t.rest.spans = nil, nil
		return nil
	}
	if err := t.rest.fill(ctx, tx, w, t.s.maxChanges, &rows); err != nil {
		return err
	}
	for i := range rows {
		if m := &rows[i]; !t.req.OnlyDeleted || m.Flags&metadata.FlagDeleted != 0 {
			t.gone = append(t.gone, m)
		}
	}
	if len(t.gone) == 0 {
		return nil
	}
	keep, del := l.expunge(box, clock, t.gone, t.at)
	t.highest = box.HighestModSeq
	if err := tx.Run(ctx, append(append(keep, del...), l.save(box)...)...); err != nil {
		return err
	}
	return checkExpunged(keep, del, len(t.gone))
}

func (t *expunging) happened(ctx context.Context, tx sqldb.Tx) (bool, error) {
	if len(t.gone) == 0 {
		return true, nil
	}
	if err := t.s.lockOnly(ctx, tx, t.req.Account); err != nil {
		return false, err
	}
	return t.s.isExpunged(ctx, tx, t.req.Mailbox, t.gone[0].UID, t.highest, t.at)
}

// isExpunged reports whether a message was expunged by the transaction with this MODSEQ and time.
func (s *Store) isExpunged(ctx context.Context, tx sqldb.Tx, box metadata.MailboxID, uid metadata.UID, modSeq metadata.ModSeq, at int64) (yes bool, err error) {
	st := sqlExpungedAt.stmt(&s.words, 0, box[:], int64(uid))
	st.Each = func(r sqldb.Row) error {
		var haveModSeq, haveAt int64
		err := r.Scan(&haveModSeq, &haveAt)
		yes = haveModSeq == int64(modSeq) && haveAt == at
		return err
	}
	err = tx.Run(ctx, st)
	return yes, err
}

// expunge takes messages out of a mailbox's counters and returns the statements that move their rows.
func (l *ledger) expunge(box *metadata.Mailbox, c *clock, gone []*picked, at int64) (keep, del []*sqldb.Stmt) {
	var size int64
	for _, m := range gone {
		count(box, m.Flags, m.Size, -1)
		size += m.Size
	}
	c.add(-int64(len(gone)), -size)
	box.HighestModSeq = metadata.ModSeq(c.tick())
	p := placesOf(gone)
	keep = p.stmts(&l.s.words, sqlKeepPoints, sqlKeepSpan, c.modSeq, c.id[:], at, box.ID[:])
	return keep, p.stmts(&l.s.words, sqlDeletePoints, sqlDeleteSpan, box.ID[:])
}

func checkExpunged(keep, del []*sqldb.Stmt, want int) error {
	if k, d := affected(keep), affected(del); k != int64(want) || d != int64(want) {
		return fmt.Errorf("expunge kept %d rows and deleted %d instead of %d", k, d, want)
	}
	return nil
}
