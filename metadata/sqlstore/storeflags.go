package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlSetFlagsPoints = newText("set flags of points", `UPDATE messages SET flags = $1, keywords = $2, modseq = $3
	WHERE mailbox_id = $4 AND uid IN ({list})`)
var sqlSetFlagsSpan = newText("set flags of a span", `UPDATE messages SET flags = $1, keywords = $2, modseq = $3
	WHERE mailbox_id = $4 AND uid BETWEEN $5 AND $6`)

// StoreFlags implements metadata.Store. Three round trips for each MaxChanges rows: lock and read; write one statement for
// each resulting state; commit.
func (s *Store) StoreFlags(ctx context.Context, req metadata.StoreFlags) (*metadata.StoreResult, error) {
	const op = "metadata.StoreFlags"
	if !validKeywords(strings.Join(req.Keywords, " ")) {
		return nil, mailerr.New(op, mailerr.Invalid, "invalid keyword")
	}
	res := &metadata.StoreResult{}
	var found []metadata.UID
	rest := newPicker(req.Mailbox, req.UIDs)
	for first := true; first || !rest.done(); first = false {
		var t *storing
		err := s.change(ctx, op, func(tx sqldb.Tx) error {
			t = &storing{op: op, s: s, req: &req, rest: rest}
			return t.run(ctx, tx)
		}, func(tx sqldb.Tx) (bool, error) { return t.happened(ctx, tx) })
		if err != nil {
			return nil, err
		}
		rest = t.rest
		res.ModSeq = t.highest
		res.Changed = append(res.Changed, t.changed...)
		res.Same = append(res.Same, t.same...)
		for _, u := range t.modified {
			res.Modified = appendUID(res.Modified, u)
		}
		for i := range t.rows {
			found = append(found, t.rows[i].UID)
		}
	}
	res.Missing = missing(req.UIDs, found)
	return res, nil
}

// storing is one try of one transaction of a StoreFlags.
type storing struct {
	op   string
	s    *Store
	req  *metadata.StoreFlags
	rest picker

	rows     []picked
	changed  []metadata.Message
	same     []metadata.Message
	modified []metadata.UID
	highest  metadata.ModSeq
}

// flagState is what a message's row has after a STORE; rows with the same one are written together.
type flagState struct {
	flags    metadata.Flags
	keywords string
}

func (t *storing) run(ctx context.Context, tx sqldb.Tx) error {
	l, w := t.s.newLedger(), &t.s.words
	stmts := append(l.lock(t.req.Account), l.load(t.req.Mailbox)...)
	if !t.rest.done() {
		stmts = append(stmts, t.rest.next(w, t.s.maxChanges, &t.rows))
	}
	if err := tx.Run(ctx, stmts...); err != nil {
		return err
	}
	box, clock, err := l.mailbox(t.op, t.req.Account, t.req.Mailbox, noMailbox)
	if err != nil {
		return err
	}
	if err := t.rest.fill(ctx, tx, w, t.s.maxChanges, &t.rows); err != nil {
		return err
	}
	var order []flagState
	groups := map[flagState][]*picked{}
	for i := range t.rows {
		m := &t.rows[i]
		if t.req.UnchangedSince != nil && m.ModSeq > *t.req.UnchangedSince {
			t.modified = append(t.modified, m.UID)
			continue
		}
		flags, keywords := applyFlags(t.req.Op, t.req.Flags, t.req.Keywords, &m.Message)
		flags = flags&^t.req.KeepFlags | m.Flags&t.req.KeepFlags
		if t.req.KeepKeywords {
			keywords = m.Keywords
		}
		if flags == m.Flags && keywords == m.Keywords {
			t.same = append(t.same, m.Message)
			continue
		}
		state := flagState{flags, keywords}
		if groups[state] == nil {
			order = append(order, state)
		}
		groups[state] = append(groups[state], m)
		count(box, m.Flags, m.Size, -1)
		count(box, flags, m.Size, 1)
		after := m.Message
		after.Flags, after.Keywords = flags, keywords
		after.ModSeq = metadata.ModSeq(clock.tick())
		t.changed = append(t.changed, after)
	}
	if len(t.changed) == 0 {
		t.highest = box.HighestModSeq
		return nil
	}
	var writes []*sqldb.Stmt
	for _, state := range order {
		p := placesOf(groups[state])
		writes = append(writes, p.stmts(w, sqlSetFlagsPoints, sqlSetFlagsSpan, int64(state.flags), state.keywords, clock.modSeq, box.ID[:])...)
	}
	box.HighestModSeq = metadata.ModSeq(clock.modSeq)
	t.highest = box.HighestModSeq
	if err := tx.Run(ctx, append(writes, l.save(box)...)...); err != nil {
		return err
	}
	if n := affected(writes); n != int64(len(t.changed)) {
		return fmt.Errorf("STORE wrote %d rows instead of %d", n, len(t.changed))
	}
	return nil
}

// happened reports whether this try's rows are there: each is as it was written, or has been changed since.
func (t *storing) happened(ctx context.Context, tx sqldb.Tx) (bool, error) {
	if len(t.changed) == 0 {
		return true, nil
	}
	if err := t.s.lockOnly(ctx, tx, t.req.Account); err != nil {
		return false, err
	}
	want := make(map[metadata.UID]*metadata.Message, len(t.changed))
	uids := make([]metadata.UID, len(t.changed))
	for i := range t.changed {
		uids[i] = t.changed[i].UID
		want[uids[i]] = &t.changed[i]
	}
	var now []picked
	p := newPicker(t.req.Mailbox, metadata.UIDSetOf(uids...))
	if err := p.fill(ctx, tx, &t.s.words, maxUint32, &now); err != nil {
		return false, err
	}
	seen := false
	for i := range now {
		m, wanted := &now[i], want[now[i].UID]
		switch {
		case m.ModSeq > wanted.ModSeq:
		case m.ModSeq == wanted.ModSeq && m.Flags == wanted.Flags && m.Keywords == wanted.Keywords:
			seen = true
		default:
			return false, nil
		}
	}
	return seen, nil
}

// appendUID adds a UID above all that are in the set.
func appendUID(s metadata.UIDSet, u metadata.UID) metadata.UIDSet {
	if n := len(s); n > 0 && s[n-1].Last+1 == u {
		s[n-1].Last = u
		return s
	}
	return append(s, metadata.UIDRange{First: u, Last: u})
}

// missing returns the UIDs of the set that are not among found, which is ascending.
func missing(set metadata.UIDSet, found []metadata.UID) metadata.UIDSet {
	var out metadata.UIDSet
	for _, r := range set {
		next := uint64(r.First)
		for len(found) > 0 && found[0] <= r.Last {
			if u := uint64(found[0]); u > next {
				out = append(out, metadata.UIDRange{First: metadata.UID(next), Last: metadata.UID(u - 1)})
			}
			next = uint64(found[0]) + 1
			found = found[1:]
		}
		if next <= uint64(r.Last) {
			out = append(out, metadata.UIDRange{First: metadata.UID(next), Last: r.Last})
		}
	}
	return out
}
