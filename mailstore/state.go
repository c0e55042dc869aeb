package mailstore

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/metadata"
)

// maxGhosts is how many rows of expunged messages a view keeps for sessions that were not told yet.
const maxGhosts = 1024

// state is what a view knows of its mailbox at one MODSEQ. A state and what it refers to are immutable: who has one reads
// it without a lock, and the next state shares what did not change.
type state struct {
	version  uint64 // rises with every change of content; the same for a state and the same without its rows
	mailbox  metadata.Mailbox
	uids     *roaring.Bitmap // of all messages; the same pointer in the next state if none came or went
	pages    []page
	from     metadata.ModSeq // pages has all rows with a MODSEQ above this; 0: all
	keywords []string        // of row.keywords; may hold some no message has any more
	ghosts   []ghost         // ascending by UID
	gone     bool            // the mailbox was deleted
}

// ghost is the row of a message that was expunged.
type ghost struct {
	row row
	at  metadata.ModSeq // of the first state without it
}

func (st *state) modseq() metadata.ModSeq { return st.mailbox.HighestModSeq }

// complete reports whether every message's row is here.
func (st *state) complete() bool { return st.from == 0 }

// ghost returns the row of an expunged message, nil when it is not known any more.
func (st *state) ghost(uid metadata.UID) *row {
	i, ok := slices.BinarySearchFunc(st.ghosts, uid, func(g ghost, uid metadata.UID) int { return int(int64(g.row.uid) - int64(uid)) })
	if !ok {
		return nil
	}
	return &st.ghosts[i].row
}

// bytes estimates the memory that only this view holds.
func (st *state) bytes() int64 {
	n := int64(512) + int64(st.uids.GetSizeInBytes()) + rowBytes*int64(len(st.ghosts))
	for i := range st.pages {
		n += 32 + rowBytes*int64(len(st.pages[i].rows))
	}
	for _, w := range st.keywords {
		n += 32 + int64(len(w))
	}
	return n
}

// withoutRows returns the state with its rows dropped.
func (st *state) withoutRows() *state {
	bare := *st
	bare.pages = nil
	bare.from = st.modseq()
	return &bare
}

// deleted returns the state after the mailbox was deleted.
func (st *state) deleted() *state {
	return &state{version: st.version + 1, mailbox: st.mailbox, uids: st.uids, keywords: st.keywords, gone: true, from: st.modseq()}
}

// loaded returns the state that a whole mailbox makes. before is nil, or what was known.
func loaded(before *state, in *intern, m *metadata.Mailbox, msgs []metadata.Message, clean metadata.ModSeq) *state {
	rows := make([]row, len(msgs))
	uids := make([]uint32, len(msgs))
	for i := range msgs {
		rows[i] = in.row(&msgs[i])
		uids[i] = uint32(msgs[i].UID)
	}
	st := &state{version: 1, mailbox: *m, uids: roaring.New(), pages: paginate(rows), keywords: in.words}
	st.uids.AddMany(uids)
	st.uids.RunOptimize()
	if before == nil {
		return st
	}
	st.version = before.version
	st.ghosts = before.ghosts
	if m.HighestModSeq == before.modseq() {
		st.uids = before.uids
		return st
	}
	st.version++
	if before.uids.Equals(st.uids) {
		st.uids = before.uids
	}
	var expunged []row
	for i := range before.pages {
		for _, r := range before.pages[i].rows {
			if !st.uids.Contains(uint32(r.uid)) {
				expunged = append(expunged, r)
			}
		}
	}
	st.ghosts = haunt(before.ghosts, expunged, m.HighestModSeq, clean)
	return st
}

// advanced returns the state after ch. clean is the MODSEQ up to which all sessions know of all expunges.
func (st *state) advanced(in *intern, ch *metadata.Changes, clean metadata.ModSeq) *state {
	changed := make([]row, len(ch.Changed))
	var appeared []uint32
	for i := range ch.Changed {
		changed[i] = in.row(&ch.Changed[i])
		if uid := uint32(ch.Changed[i].UID); !st.uids.Contains(uid) {
			appeared = append(appeared, uid)
		}
	}
	next := &state{version: st.version + 1, mailbox: ch.Mailbox, uids: st.uids, from: st.from, keywords: in.words}
	vanished := intersect(ch.Vanished, st.uids)
	if len(appeared) > 0 || len(vanished) > 0 {
		next.uids = st.uids.Clone()
		for _, r := range vanished {
			next.uids.RemoveRange(uint64(r.First), uint64(r.Last)+1)
		}
		next.uids.AddMany(appeared)
		next.uids.RunOptimize()
	}
	var expunged []row
	next.pages = mergePages(st.pages, changed, vanished, func(r row) { expunged = append(expunged, r) })
	next.ghosts = haunt(st.ghosts, expunged, next.modseq(), clean)
	return next
}

// haunt returns the ghosts after messages were expunged, without those that every session was told of by clean.
func haunt(ghosts []ghost, expunged []row, at, clean metadata.ModSeq) []ghost {
	if len(expunged) == 0 && len(ghosts) == 0 {
		return nil
	}
	next := make([]ghost, 0, len(ghosts)+len(expunged))
	for _, g := range ghosts {
		if g.at > clean {
			next = append(next, g)
		}
	}
	if at > clean {
		for _, r := range expunged {
			next = append(next, ghost{row: r, at: at})
		}
	}
	if over := len(next) - maxGhosts; over > 0 {
		// The oldest go. Those of one moment go by UID: one has to.
		slices.SortStableFunc(next, func(x, y ghost) int { return int(int64(x.at) - int64(y.at)) })
		next = next[over:]
	}
	slices.SortFunc(next, func(x, y ghost) int { return int(int64(x.row.uid) - int64(y.row.uid)) })
	return next
}
