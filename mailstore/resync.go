package mailstore

import (
	"context"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/metadata"
)

// VanishedRequest says of which expunged messages a client wants to know (RFC 7162 sections 3.2.5 and 3.2.6).
type VanishedRequest struct {
	Since     metadata.ModSeq // expunged after it
	UIDs      metadata.UIDSet // of these; nil: all. Ranges may go beyond what is there
	KnownUpTo metadata.UID    // the client knows of every expunge up to this UID, see MatchUpTo
}

// Vanished returns the UIDs that were expunged, as far as the session's snapshot goes: messages it still has are not among
// them (Sync tells of those), nor those that came after it. Where the expunge log does not go back to Since, it returns every
// UID that is not in the mailbox. It reads what was expunged, no more.
func (sel *Selected) Vanished(ctx context.Context, req VanishedRequest) (metadata.UIDSet, error) {
	const op = "mailstore.Vanished"
	if err := sel.mayRead(ctx, op); err != nil {
		return nil, wrap(op, err)
	}
	if req.Since >= sel.pos {
		return nil, nil // what was expunged later is in the snapshot, or was never announced
	}
	v, err := sel.view.store.meta.VanishedSince(ctx, sel.view.id, req.Since)
	if err != nil {
		return nil, wrap(op, err)
	}
	vanished := v.UIDs
	if !v.Complete {
		vanished = everyUID
	}
	last := sel.mailbox.UIDNext - 1
	mask := bitmapOf(clamp(vanished, last))
	if req.UIDs != nil {
		mask.And(bitmapOf(clamp(req.UIDs, last)))
	}
	mask.RemoveRange(0, uint64(req.KnownUpTo)+1)
	mask.AndNot(sel.uids)
	return setOf(mask), nil
}

var everyUID = metadata.UIDSet{{First: 1, Last: 1<<32 - 1}}

// MatchUpTo compares message sequence numbers with the UIDs a client has for them (RFC 7162 section 3.2.5.2) and returns the
// highest UID that is right, 0 for none: of messages up to that one the client has missed no expunge. Both lists ascend
// without "*" and have the same number of numbers.
func (sel *Selected) MatchUpTo(seqs, uids []SeqRange) metadata.UID {
	var runs []matchRun
	var s, u cursor
	for s.i < len(seqs) && u.i < len(uids) {
		n := min(s.left(seqs), u.left(uids))
		runs = append(runs, matchRun{s.at(seqs), u.at(uids), n})
		s.skip(seqs, n)
		u.skip(uids, n)
	}
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if r.seq > sel.NumMessages() {
			continue
		}
		// Within a run the session's UIDs rise at least as fast as the client's: matches are in one piece.
		n := min(r.more, sel.NumMessages()-r.seq)
		above := uint32(sort.Search(int(n)+1, func(k int) bool {
			return uint32(sel.UID(SeqNum(r.seq+uint32(k)))) > r.uid+uint32(k)
		}))
		if above > 0 && uint32(sel.UID(SeqNum(r.seq+above-1))) == r.uid+above-1 {
			return metadata.UID(r.uid + above - 1)
		}
	}
	return 0
}

// matchRun is the pairs (seq, uid) to (seq+more, uid+more).
type matchRun struct{ seq, uid, more uint32 }

// cursor is a place in a list of ranges: the off-th number of the i-th.
type cursor struct {
	i   int
	off uint32
}

func (c cursor) at(ranges []SeqRange) uint32 { return ranges[c.i].First + c.off }

// left returns how many more numbers follow in the range.
func (c cursor) left(ranges []SeqRange) uint32 { return ranges[c.i].Last - c.at(ranges) }

// skip passes over n+1 numbers of the range.
func (c *cursor) skip(ranges []SeqRange, n uint32) {
	if n == c.left(ranges) {
		c.i, c.off = c.i+1, 0
	} else {
		c.off += n + 1
	}
}

// MessagesSince is Messages for those of uids whose row has a MODSEQ above since. It looks at what changed, not at what is
// there.
func (sel *Selected) MessagesSince(ctx context.Context, uids metadata.UIDSet, since metadata.ModSeq, yield func(seq SeqNum, m *metadata.Message, gone bool) bool) error {
	const op = "mailstore.MessagesSince"
	if err := sel.mayRead(ctx, op); err != nil {
		return wrap(op, err)
	}
	st := sel.view.state.Load()
	if st.modseq() < sel.wrote && !st.gone {
		var err error
		if st, err = sel.view.reach(ctx, sel.wrote); err != nil {
			return wrap(op, err)
		}
	}
	snapshot := sel.uids
	if st.gone || st.uids != snapshot && !roaring.AndNot(snapshot, st.uids).IsEmpty() {
		// Some were expunged: their rows are where the others are not.
		return sel.Messages(ctx, uids, func(seq SeqNum, m *metadata.Message, gone bool) bool {
			return !gone && m.ModSeq <= since || yield(seq, m, gone)
		})
	}
	var changed []metadata.Message
	if st.from <= since {
		changed = changedRows(st, uids, since)
	} else {
		ch, err := sel.view.store.meta.ChangesSince(ctx, sel.view.id, since)
		if err != nil {
			return wrap(op, err)
		}
		changed = ch.Changed
	}
	for i := range changed {
		m := &changed[i]
		if !snapshot.Contains(uint32(m.UID)) || !uids.Contains(m.UID) {
			continue
		}
		if !yield(SeqNum(snapshot.Rank(uint32(m.UID))), m, false) {
			return nil
		}
	}
	return nil
}

// changedRows returns the rows of uids above since, without looking into pages that have none.
func changedRows(st *state, uids metadata.UIDSet, since metadata.ModSeq) []metadata.Message {
	var out []metadata.Message
	for i := range st.pages {
		p := &st.pages[i]
		if p.modseq <= since {
			continue
		}
		for j := range p.rows {
			if r := &p.rows[j]; r.modseq > since && uids.Contains(r.uid) {
				out = append(out, metadata.Message{})
				r.message(&out[len(out)-1], st.keywords)
			}
		}
	}
	return out
}

// ToldUpTo returns the MODSEQ up to which Sync told of every change. all is false while it told of later changes too, because
// expunges are held back, or this session made some that Sync has not come to yet.
func (sel *Selected) ToldUpTo() (upTo metadata.ModSeq, all bool) {
	upTo = metadata.ModSeq(sel.toldUpTo.Load())
	return upTo, upTo >= max(sel.pos, sel.wrote)
}
