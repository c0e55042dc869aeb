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
	head     []byte                                // the beginning of a literal; see sectionContent.load
}

// fetchRow is a message of a window.
type fetchRow struct {
	seq  mailstore.SeqNum
	m    metadata.Message
	told bool // its flags were changed by this FETCH: the client must be told
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

// windows answers for messages whose bodies, or what is known of them, are needed.
func (r *fetchRun) windows(ctx context.Context, uids metadata.UIDSet) error {
	if r.changedSince != nil {
		var err error
		if uids, err = r.changed(ctx, uids); err != nil {
			return err
		}
	}
	rows := make([]fetchRow, 0, min(fetchWindow, uids.Len()))
	r.s.progress.expect(uids.Len())
	for window := range windows(uids, fetchWindow) {
		rows = rows[:0]
		r.told = r.s.told
		err := r.s.sel.Messages(ctx, window, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
			if gone {
				r.gone = true
			} else {
				rows = append(rows, fetchRow{seq: seq, m: *m})
			}
			return true
		})
		if err != nil {
			return err
		}
		if err := r.window(ctx, rows); err != nil {
			return err
		}
	}
	return r.failed
}

// window answers for the rows of one window.
func (r *fetchRun) window(ctx context.Context, rows []fetchRow) error {
	ids := make([]metadata.BodyID, len(rows))
	for i := range rows {
		ids[i] = rows[i].m.Body
	}
	var bodies map[metadata.BodyID]*metadata.Body
	sel := r.s.sel
	err := r.s.away(func() (err error) {
		bodies, err = sel.Bodies(ctx, ids)
		return err
	})
	if err != nil {
		return err
	}
	if r.threads {
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
		_ = r.s.away(func() error {
			sel.Prefetch(ctx, ahead)
			return nil
		})
	}
	for i := range rows {
		row := &rows[i]
		body := bodies[row.m.Body]
		if body == nil {
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
	for i, j := 0, 0; i < len(rows) && j < len(res.Changed); i++ {
		if rows[i].m.UID == res.Changed[j].UID {
			rows[i].m, rows[i].told = res.Changed[j], true
			j++
		}
	}
	return nil
}
