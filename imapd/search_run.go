package imapd

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// searchRun is a SEARCH being evaluated: over the view first, then the messages that leaves undecided by their summaries in
// windows, and last, one by one, those that must be read.
type searchRun struct {
	ctx     context.Context
	sel     *mailstore.Selected
	away    func(func() error) error // session.away, around waits for storage
	log     *slog.Logger
	program *searchProgram
	first   bool // only the first hit is wanted

	hits  []searchHit
	gone  bool // a message no longer exists
	piece []byte
}

func (r *searchRun) run() error {
	var undecided []metadata.UID
	c := candidate{}
	err := r.sel.Messages(r.ctx, r.program.scope(r.sel), func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			r.gone = true
			return true
		}
		c.row, c.recent = m, r.sel.IsRecent(m.UID)
		switch r.program.root.eval(&c) {
		case matches:
			r.hit(seq, m)
			return !r.first
		case unsure:
			undecided = append(undecided, m.UID)
		}
		return r.ctx.Err() == nil
	})
	if err != nil {
		return err
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	decided := len(r.hits)
	for window := range windows(metadata.UIDSetOf(undecided...), fetchWindow) {
		if err := r.window(window); err != nil {
			return err
		}
		if r.first && len(r.hits) > decided {
			break
		}
	}
	slices.SortFunc(r.hits, func(a, b searchHit) int { return cmp.Compare(a.uid, b.uid) })
	if r.first && len(r.hits) > 1 {
		r.hits = r.hits[:1]
	}
	return nil
}

func (r *searchRun) hit(seq mailstore.SeqNum, m *metadata.Message) {
	r.hits = append(r.hits, searchHit{seq, m.UID, m.ModSeq})
}

// scope returns the messages that can match: those of a set all matches must be in, if there is one.
func (g *searchProgram) scope(sel *mailstore.Selected) metadata.UIDSet {
	if all, ok := g.root.(andKey); ok {
		for _, k := range all {
			if set, ok := k.(*setKey); ok {
				return set.uids
			}
		}
	}
	return sel.AllUIDs()
}

// searchRow is a message of a window.
type searchRow struct {
	seq     mailstore.SeqNum
	c       candidate
	body    *fetchedBody
	pending []*contentKey // what the message must be read for
}

// window decides on messages by their summaries, and reads those that are undecided still.
func (r *searchRun) window(uids metadata.UIDSet) error {
	rows := make([]searchRow, 0, uids.Len())
	err := r.sel.Messages(r.ctx, uids, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			r.gone = true
		} else {
			rows = append(rows, searchRow{seq: seq, c: candidate{row: m, recent: r.sel.IsRecent(m.UID)}})
		}
		return true
	})
	if err != nil {
		return err
	}
	ids := make([]metadata.BodyID, len(rows))
	for i := range rows {
		ids[i] = rows[i].c.row.Body
	}
	var bodies map[metadata.BodyID]*metadata.Body
	err = r.away(func() (err error) {
		bodies, err = r.sel.Bodies(r.ctx, ids)
		return err
	})
	if err != nil {
		return err
	}

	undecided := rows[:0]
	for i := range rows {
		row := rows[i]
		b := bodies[row.c.row.Body]
		if b == nil {
			r.gone = true
			continue
		}
		row.body = openBody(r.sel, b)
		if err := row.body.scan(r.ctx); err != nil {
			if err := r.damaged(row.c.row, err); err != nil {
				return err
			}
			continue
		}
		row.c.structure = row.body.structure
		switch pendingKeys(r.program.root, &row.c, &row.pending) {
		case matches:
			r.hit(row.seq, row.c.row)
		case unsure:
			undecided = append(undecided, row)
		}
	}
	return r.read(undecided)
}

// read reads messages, some at a time ahead, and decides on them.
func (r *searchRun) read(rows []searchRow) error {
	for len(rows) > 0 {
		n := min(len(rows), fetchBatch)
		if n > 1 {
			var ahead []*metadata.Body
			for i := range rows[:n] {
				if b := rows[i].body.row; b.Stored <= prefetchBytes {
					ahead = append(ahead, b)
				}
			}
			_ = r.away(func() error {
				r.sel.Prefetch(r.ctx, ahead)
				return nil
			})
		}
		for i := range rows[:n] {
			row := &rows[i]
			row.c.found = make([]bool, len(r.program.content))
			if err := r.away(func() error { return r.look(row) }); err != nil {
				if err := r.damaged(row.c.row, err); err != nil {
					return err
				}
				continue
			}
			if r.program.root.eval(&row.c) == matches {
				r.hit(row.seq, row.c.row)
			}
		}
		rows = rows[n:]
	}
	return nil
}

// goneError is the completion when some of the messages no longer exist (RFC 5530): the client learns that it may want to poll.
func (r *searchRun) goneError() error {
	if !r.gone {
		return nil
	}
	return &statusError{typ: "OK", code: "EXPUNGEISSUED", text: "Some of the messages no longer exist"}
}

// damaged passes over a message that cannot be read, so that it does not keep the others from being found. Trouble that is
// not of this message is returned.
func (r *searchRun) damaged(m *metadata.Message, err error) error {
	if mailerr.KindOf(err) != mailerr.Internal {
		return err
	}
	r.log.Error("message cannot be read", "uid", m.UID, "body", m.Body.String(), "err", err)
	return nil
}

// pendingKeys evaluates a key and collects the keys below it for which the message must be read to decide.
func pendingKeys(key searchKey, c *candidate, pending *[]*contentKey) verdict {
	before := len(*pending)
	result := unsure
	switch k := key.(type) {
	case notKey:
		switch pendingKeys(k.key, c, pending) {
		case matches:
			result = misses
		case misses:
			result = matches
		}
	case andKey:
		result = matches
		for _, sub := range k {
			if v := pendingKeys(sub, c, pending); v == misses {
				result = misses
				break
			} else if v == unsure {
				result = unsure
			}
		}
	case orKey:
		a := pendingKeys(k[0], c, pending)
		if result = a; a != matches {
			if b := pendingKeys(k[1], c, pending); b == matches || a == misses {
				result = b
			}
		}
	case *contentKey:
		if result = k.eval(c); result == unsure {
			*pending = append(*pending, k)
		}
	default:
		result = key.eval(c)
	}
	if result != unsure {
		*pending = (*pending)[:before]
	}
	return result
}
