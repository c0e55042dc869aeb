package imapd

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"golang.org/x/sync/semaphore"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// searchRun is a SEARCH being evaluated: over the view first, then the messages that leaves undecided by their summaries in
// windows, and last, one by one, those that must be read.
type searchRun struct {
	ctx   context.Context
	sel   *mailstore.Selected
	log   *slog.Logger
	reads *semaphore.Weighted // of bodies at once, in the whole server
	// away calls what waits for storage; see session.away.
	away     func(wait func() error) error
	progress *progress
	program  *searchProgram
	first    bool // only the first hit is wanted

	only  metadata.UIDSet // nil: all that can match
	most  int             // MESSAGELIMIT; 0: none
	whole bool            // no answer is better than one about some of the messages

	cut cutShort

	hits []searchHit
	rows []sortRow // of hits, after sort
	gone bool      // a message no longer exists
}

// newSearchRun returns a search that begins with the session's lock. sel is the selected mailbox or another one.
func (s *session) newSearchRun(ctx context.Context, sel *mailstore.Selected, program *searchProgram) *searchRun {
	return &searchRun{ctx: ctx, sel: sel, log: s.log, reads: s.srv.reads, away: s.away, progress: s.progress, program: program}
}

func (r *searchRun) run() error {
	if err := r.lookThreads(); err != nil {
		return err
	}
	var undecided []metadata.UID
	c := candidate{}
	scope := r.only
	if scope == nil {
		scope = r.program.scope(r.sel)
	}
	if r.most > 0 && scope.Len() > r.most {
		if scope = existing(r.sel, scope); scope.Len() > r.most {
			scope = lastOf(scope, r.most)
			r.cut.lowest = scope[0].First
		}
		if r.whole && r.cut.lowest != 0 {
			return tooMany(r.most, 0)
		}
	}
	err := r.sel.Messages(r.ctx, scope, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
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
	r.progress.expect(len(undecided))
	for window := range windows(metadata.UIDSetOf(undecided...), fetchWindow) {
		if err := r.window(window); err != nil {
			return err
		}
		r.progress.add(window.Len())
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

// scope returns the messages that can match: those of the sets that all matches must be in.
func (g *searchProgram) scope(sel *mailstore.Selected) metadata.UIDSet {
	if within, ok := setsOf(g.root); ok {
		return within
	}
	return sel.AllUIDs()
}

// setsOf returns what is in all sets that a key demands; ok is false when it demands none.
func setsOf(key searchKey) (within metadata.UIDSet, ok bool) {
	switch key := key.(type) {
	case *setKey:
		return key.uids, true
	case andKey:
		for _, k := range key {
			if set, demanded := setsOf(k); demanded {
				if ok {
					set = intersect(within, set)
				}
				within, ok = set, true
			}
		}
	}
	return within, ok
}

// existing returns the messages of a set that the session knows.
func existing(sel *mailstore.Selected, set metadata.UIDSet) metadata.UIDSet {
	if len(set) == 0 {
		return nil
	}
	ranges := make([]mailstore.SeqRange, len(set))
	for i, r := range set {
		ranges[i] = mailstore.SeqRange{First: uint32(r.First), Last: uint32(r.Last)}
	}
	return sel.ResolveUIDs(ranges)
}

// searchRow is a message of a window.
type searchRow struct {
	seq     mailstore.SeqNum
	c       candidate
	body    *fetchedBody
	pending []*contentKey // what the message must be read for
	failed  error         // the message could not be read
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
	found := make([]*metadata.Message, len(rows))
	for i := range rows {
		found[i] = rows[i].c.row
	}
	bodies, err := r.bodies(found)
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

// renew brings what was found to the present when the client was told of changes meanwhile: what it knows to be expunged is not
// found any more.
func (r *searchRun) renew() {
	known := r.hits[:0]
	for _, h := range r.hits {
		if h.seq = r.sel.Seq(h.uid); h.seq != 0 {
			known = append(known, h)
		}
	}
	r.hits = known
	r.rows = slices.DeleteFunc(r.rows, func(row sortRow) bool { return r.sel.Seq(row.hit.uid) == 0 })
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
	case *filterKey:
		result = pendingKeys(k.filter.keys, c, pending)
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
