package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// Messages calls yield for each of the uids the session knows, ascending, with its sequence number and its present row,
// until yield returns false. A message that was expunged elsewhere and is no longer known has gone == true and only UID set.
// The rows are the caller's to keep. No lock is held during yield. It loads the view if that was dropped. Changes this
// session made are always there.
func (sel *Selected) Messages(ctx context.Context, uids metadata.UIDSet, yield func(seq SeqNum, m *metadata.Message, gone bool) bool) error {
	st, err := sel.rows(ctx)
	if err != nil {
		return wrap("mailstore.Messages", err)
	}
	var (
		slab  []metadata.Message // a few allocations for many rows
		size  = 16
		pages = st.pages
		rows  []row
	)
	snapshot := sel.uids // yield may do anything, also Sync
	it := snapshot.Iterator()
	for _, r := range uids {
		it.AdvanceIfNeeded(uint32(r.First))
		if !it.HasNext() {
			break
		}
		seq := SeqNum(snapshot.Rank(it.PeekNext()))
		for ; it.HasNext() && it.PeekNext() <= uint32(r.Last); seq++ {
			uid := metadata.UID(it.Next())
			if len(slab) == 0 {
				slab = make([]metadata.Message, size)
				size = min(2*size, 256)
			}
			m := &slab[0]
			slab = slab[1:]
			for (len(rows) == 0 || rows[len(rows)-1].uid < uid) && len(pages) > 0 {
				rows, pages = pages[0].rows, pages[1:]
			}
			for len(rows) > 0 && rows[0].uid < uid {
				rows = rows[1:]
			}
			var found *row
			if len(rows) > 0 && rows[0].uid == uid {
				found = &rows[0]
			} else {
				found = st.ghost(uid)
			}
			if found != nil {
				found.message(m, st.keywords)
			} else {
				m.UID = uid
			}
			if !yield(seq, m, found == nil) {
				return nil
			}
		}
	}
	return nil
}

// rows returns a state with every row that has this session's changes. It may be of a deleted mailbox: then it has none.
func (sel *Selected) rows(ctx context.Context) (*state, error) {
	if err := sel.mayRead(ctx, "mailstore.rows"); err != nil {
		return nil, err
	}
	if sel.view.state.Load().modseq() < sel.wrote {
		if _, err := sel.view.reach(ctx, sel.wrote); err != nil {
			return nil, err
		}
	}
	return sel.view.load(ctx)
}
