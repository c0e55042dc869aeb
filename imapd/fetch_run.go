package imapd

import (
	"cmp"
	"context"
	"errors"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// fetchWindow is for how many messages body rows are read at once.
	fetchWindow = 400
	// fetchBatch and fetchBatchBytes bound how many messages are prefetched, and marked \Seen in one transaction, before the
	// first of them is sent.
	fetchBatch      = 64
	fetchBatchBytes = 8 << 20
	// prefetchBytes is the size up to which a body is read ahead; larger ones are read as they are sent.
	prefetchBytes = 256 << 10
)

// fetchRun is a FETCH being answered.
type fetchRun struct {
	*fetch
	s        *session
	w        *wire.Writer
	gone     bool                                  // a message no longer exists
	threadOf map[metadata.BodyID]metadata.ThreadID // of the window that is answered
	failed   error                                 // the first message that could not be read
	named    string                                // keywords of a message that the client was told of
	told     uint64                                // the session's, when the rows of the window were read
	texts    fetchTexts
	head     []byte // the beginning of a literal; see sectionContent.load
	held     bool   // the session's lock is not given up
}

// away is the session's, unless the lock is held.
func (r *fetchRun) away(wait func() error) error {
	if r.held {
		return wait()
	}
	return r.s.away(wait)
}

// fetchRow is a message of a window.
type fetchRow struct {
	seq  mailstore.SeqNum
	m    metadata.Message
	told bool // its flags were changed by this FETCH: the client must be told

	texts [textKinds][]byte // of its items, nil where not known; see textIndex
	known bool              // texts have all that is needed of its body
	fresh bool              // texts have something that was written first by this FETCH
}

// messages yields the messages of a set, with CHANGEDSINCE those that changed.
func (r *fetchRun) messages(ctx context.Context, uids metadata.UIDSet, yield func(mailstore.SeqNum, *metadata.Message, bool) bool) error {
	if r.changedSince != nil {
		return r.s.sel.MessagesSince(ctx, uids, *r.changedSince, yield)
	}
	return r.s.sel.Messages(ctx, uids, yield)
}

// changed returns those of a set that changed.
func (r *fetchRun) changed(ctx context.Context, uids metadata.UIDSet) (metadata.UIDSet, error) {
	var changed []metadata.UID
	err := r.messages(ctx, uids, func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			r.gone = true
		} else {
			changed = append(changed, m.UID)
		}
		return true
	})
	return metadata.UIDSetOf(changed...), err
}

// fetchWindowRead is a window of messages and what is read of their bodies.
type fetchWindowRead struct {
	rows   []fetchRow
	told   uint64 // the session's, when rows were read
	bodies map[metadata.BodyID]*metadata.Body
	err    error
	// panicked is what the reading of bodies panicked with: the command does.
	panicked any
	done     chan struct{} // closed when all are there
}

// windows answers for messages whose bodies, or what is known of them, are needed. While one window is answered the bodies of
// the next are read.
func (r *fetchRun) windows(ctx context.Context, uids metadata.UIDSet) error {
	if r.changedSince != nil {
		var err error
		if uids, err = r.changed(ctx, uids); err != nil {
			return err
		}
	}
	r.texts = r.newFetchTexts(r.s)
	r.s.progress.expect(uids.Len())
	ctx, cancel := context.WithCancel(ctx)
	var present, next *fetchWindowRead
	defer func() { // whatever is being read is not left behind
		cancel()
		for _, win := range []*fetchWindowRead{present, next} {
			if win != nil {
				_ = r.away(func() error { <-win.done; return nil })
			}
		}
	}()
	for window := range windows(uids, fetchWindow) {
		var err error
		if next, err = r.begin(ctx, window, next, uids.Len() > fetchWindow); err != nil {
			return err
		}
		if present != nil {
			if err := r.window(ctx, present); err != nil {
				return err
			}
		}
		present, next = next, present
	}
	if present != nil {
		if err := r.window(ctx, present); err != nil {
			return err
		}
	}
	return r.failed
}

// begin reads the rows of a window, and begins to read what is needed of their bodies. It uses old, if that is not nil, anew.
func (r *fetchRun) begin(ctx context.Context, uids metadata.UIDSet, old *fetchWindowRead, more bool) (*fetchWindowRead, error) {
	win := &fetchWindowRead{told: r.s.told, done: make(chan struct{})}
	if old != nil {
		win.rows = old.rows[:0]
	} else {
		win.rows = make([]fetchRow, 0, min(fetchWindow, uids.Len()))
	}
	unknown := 0
	err := r.s.sel.Messages(ctx, uids, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			r.gone = true
			return true
		}
		win.rows = append(win.rows, fetchRow{seq: seq, m: *m})
		row := &win.rows[len(win.rows)-1]
		if row.known = r.texts.look(row); !row.known {
			unknown++
		}
		return true
	})
	if err != nil {
		close(win.done)
		return win, err
	}
	if unknown == 0 {
		close(win.done)
		return win, nil
	}
	ids := make([]metadata.BodyID, 0, unknown)
	for i := range win.rows {
		if !win.rows[i].known {
			ids = append(ids, win.rows[i].m.Body)
		}
	}
	sel := r.s.sel
	if old == nil && !more { // nothing to write meanwhile
		win.err = r.away(func() (err error) {
			win.bodies, err = sel.Bodies(ctx, ids)
			return err
		})
		close(win.done)
		return win, nil
	}
	go func() {
		defer close(win.done)
		defer func() { win.panicked = recover() }()
		win.bodies, win.err = sel.Bodies(ctx, ids)
	}()
	return win, nil
}

// window answers for the rows of one window.
func (r *fetchRun) window(ctx context.Context, win *fetchWindowRead) error {
	select {
	case <-win.done:
	default:
		_ = r.away(func() error { <-win.done; return nil })
	}
	if win.panicked != nil {
		panic(win.panicked)
	}
	if win.err != nil {
		return win.err
	}
	r.told = win.told
	defer r.texts.keep(win.rows)
	rows, bodies := win.rows, win.bodies
	if r.threads {
		ids := make([]metadata.BodyID, len(rows))
		for i := range rows {
			ids[i] = rows[i].m.Body
		}
		if err := r.lookThreads(ctx, ids); err != nil {
			return err
		}
	}
	for len(rows) > 0 {
		n := 1
		for size := rows[0].m.Size; n < len(rows) && n < fetchBatch; n++ {
			if size += rows[n].m.Size; size > fetchBatchBytes {
				break
			}
		}
		if err := r.batch(ctx, rows[:n], bodies); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// batch marks messages \Seen if need be, and writes them.
func (r *fetchRun) batch(ctx context.Context, rows []fetchRow, bodies map[metadata.BodyID]*metadata.Body) error {
	// RFC 4314 section 4: without the right to, \Seen is not set, and that is no error.
	if r.seen && r.s.sel.Mode() == mailstore.ReadWrite && r.s.sel.Rights().Has(metadata.RightSeen) {
		if err := r.markSeen(ctx, rows); err != nil {
			return err
		}
	}
	if r.bytes && len(rows) > 1 {
		ahead := make([]*metadata.Body, 0, len(rows))
		for i := range rows {
			if b := bodies[rows[i].m.Body]; b != nil && b.Stored <= prefetchBytes {
				ahead = append(ahead, b)
			}
		}
		sel := r.s.sel
		_ = r.away(func() error {
			sel.Prefetch(ctx, ahead)
			return nil
		})
	}
	for i := range rows {
		row := &rows[i]
		body := bodies[row.m.Body]
		if body == nil && !row.known {
			r.gone = true
			continue
		}
		err := r.message(ctx, row, body)
		r.s.progress.add(1)
		if err != nil {
			if errors.Is(err, errUnknownCTE) { // RFC 3516 section 4.3: the command fails; the other messages are answered
				r.failed = cmp.Or(r.failed, err)
				continue
			}
			if r.w.Err() != nil || mailerr.KindOf(err) != mailerr.Internal {
				return err
			}
			// One damaged message must not keep the others from the client.
			r.s.log.Error("message cannot be read", "uid", row.m.UID, "body", row.m.Body.String(), "err", err)
			if r.failed == nil {
				r.failed = err
			}
		}
	}
	return r.w.Err()
}

// renew brings a row to the present when the client was told of changes since it was read: what FETCH says must not be older. It
// reports whether there is still such a message.
func (r *fetchRun) renew(ctx context.Context, row *fetchRow) (there bool, err error) {
	if r.told == r.s.told {
		return true, nil
	}
	err = r.s.sel.Messages(ctx, metadata.UIDSetOf(row.m.UID), func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		there = true
		if row.seq = seq; !gone {
			row.m = *m
		}
		return false
	})
	return there, err
}

// markSeen sets \Seen, in one transaction for all rows that lack it.
func (r *fetchRun) markSeen(ctx context.Context, rows []fetchRow) error {
	var unseen []metadata.UID
	for i := range rows {
		if rows[i].m.Flags&metadata.FlagSeen == 0 {
			unseen = append(unseen, rows[i].m.UID)
		}
	}
	if len(unseen) == 0 {
		return nil
	}
	res, err := r.s.sel.StoreFlags(ctx, mailstore.StoreFlagsRequest{
		UIDs:  metadata.UIDSetOf(unseen...),
		Op:    metadata.FlagsAdd,
		Flags: metadata.FlagSeen,
	})
	if mailerr.Is(err, mailerr.Permission) {
		return nil // taken away meanwhile
	}
	if err != nil {
		return err
	}
	r.s.seen(res.Changed)
	for i, j := 0, 0; i < len(rows) && j < len(res.Changed); i++ {
		if rows[i].m.UID == res.Changed[j].UID {
			rows[i].m, rows[i].told = res.Changed[j], true
			j++
		}
	}
	return nil
}
