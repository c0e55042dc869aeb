package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlPickPoints = newText("pick points", `SELECT `+messageColumns+` FROM messages WHERE mailbox_id = $1 AND uid IN ({list}) ORDER BY uid`)

var sqlPickSpan = newText("pick span", `SELECT `+messageColumns+` FROM messages WHERE mailbox_id = $1 AND uid BETWEEN $2 AND $3
	ORDER BY uid LIMIT $4`)

const (
	// maxGap is how many UIDs that are not wanted are read over rather than asked around.
	maxGap = 4096
	// minSpan is how many neighbouring rows are worth a statement of their own by BETWEEN.
	minSpan = 64
)

// picker reads the messages of a set in steps. It is a value: a try of a transaction works on a copy.
type picker struct {
	box    metadata.MailboxID
	set    metadata.UIDSet
	points []metadata.UID      // to be asked for one by one, not asked for yet; or
	spans  []metadata.UIDRange // to be read whole, what is left of them
	seq    int                 // of the last row
}

// picked is a message row. Rows with consecutive seq have no other row of the mailbox between them.
type picked struct {
	metadata.Message
	seq int
}

// newPicker begins with a set's messages; a nil set means all. Points for small sets, spans for others.
func newPicker(box metadata.MailboxID, set metadata.UIDSet) picker {
	p := picker{box: box, set: set}
	if set == nil {
		p.set = metadata.UIDSet{{First: 1, Last: maxUint32}}
	}
	if p.set.Len() <= maxList {
		for u := range p.set.All {
			p.points = append(p.points, u)
		}
		return p
	}
	for _, r := range p.set {
		if n := len(p.spans); n > 0 && r.First-p.spans[n-1].Last <= maxGap {
			p.spans[n-1].Last = r.Last
			continue
		}
		p.spans = append(p.spans, r)
	}
	return p
}

func (p *picker) done() bool { return len(p.points) == 0 && len(p.spans) == 0 }

// next returns the statement that reads at most limit more rows and appends those wanted to rows.
func (p *picker) next(w *sqldb.Words, limit int, rows *[]picked) *sqldb.Stmt {
	if len(p.points) > 0 {
		points := p.points[:min(limit, len(p.points), maxList)]
		p.points = p.points[len(points):]
		st := listStmts(sqlPickPoints, w, points, func(u *metadata.UID) any { return int64(*u) }, p.box[:])[0]
		last := metadata.UID(0)
		var scanner messageScanner
		st.Each = func(r sqldb.Row) error {
			var m picked
			if err := scanner.scan(r, &m.Message); err != nil {
				return err
			}
			p.seq++
			if m.UID != last+1 {
				p.seq++
			}
			last, m.seq = m.UID, p.seq
			*rows = append(*rows, m)
			return nil
		}
		return st
	}
	span := p.spans[0]
	read := 0
	p.spans = p.spans[1:] // unless the limit is reached
	p.seq++
	st := sqlPickSpan.stmt(w, 0, p.box[:], int64(span.First), int64(span.Last), int64(limit))
	var scanner messageScanner
	st.Each = func(r sqldb.Row) error {
		var m picked
		if err := scanner.scan(r, &m.Message); err != nil {
			return err
		}
		p.seq++
		if read++; read == limit && m.UID < span.Last {
			p.spans = append([]metadata.UIDRange{{First: m.UID + 1, Last: span.Last}}, p.spans...)
		}
		if p.set.Contains(m.UID) {
			m.seq = p.seq
			*rows = append(*rows, m)
		}
		return nil
	}
	return st
}

// fill reads until about limit rows are there or no more are left.
func (p *picker) fill(ctx context.Context, tx sqldb.Tx, w *sqldb.Words, limit int, rows *[]picked) error {
	for !p.done() && len(*rows) < limit {
		if err := tx.Run(ctx, p.next(w, limit-len(*rows), rows)); err != nil {
			return err
		}
	}
	return nil
}

// places are message rows as statements name them: by ranges that hold no other row, and one by one.
type places struct {
	spans  []metadata.UIDRange
	points []metadata.UID
}

// placesOf returns the places of rows, which are in ascending order.
func placesOf(rows []*picked) places {
	var p places
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].seq == rows[n-1].seq+1 {
			n++
		}
		if n >= minSpan {
			p.spans = append(p.spans, metadata.UIDRange{First: rows[0].UID, Last: rows[n-1].UID})
		} else {
			for _, r := range rows[:n] {
				p.points = append(p.points, r.UID)
			}
		}
		rows = rows[n:]
	}
	return p
}

// stmts returns the statements that do something to all places: inPoints has its fixed parameters and the list, inSpan the
// same fixed parameters and then first and last UID.
func (p *places) stmts(w *sqldb.Words, inPoints, inSpan *sqlText, fixed ...any) []*sqldb.Stmt {
	stmts := listStmts(inPoints, w, p.points, func(u *metadata.UID) any { return int64(*u) }, fixed...)
	for _, r := range p.spans {
		args := append(append(make([]any, 0, len(fixed)+2), fixed...), int64(r.First), int64(r.Last))
		stmts = append(stmts, inSpan.stmt(w, 0, args...))
	}
	return stmts
}

// affected sums up what statements affected.
func affected(stmts []*sqldb.Stmt) (n int64) {
	for _, st := range stmts {
		n += st.Affected
	}
	return n
}
