package mailstore

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// SyncOptions say what a Sync may do.
type SyncOptions struct {
	Fresh     bool // compare with the database first; otherwise with what this node knows
	NoExpunge bool // RFC 9051 section 7.5.1: during FETCH, STORE, SEARCH by sequence number
	GoneOnly  bool // find out whether the mailbox is still there, and leave the snapshot as it is
}

// Updates are what a session must tell its client. The caller may not keep or change it beyond the next Sync.
type Updates struct {
	// Expunged is in the order to be sent: ascending, each Seq counted after those before it were removed, as in the
	// examples of RFC 9051 section 7.5.1.
	Expunged      []Expunged
	Exists        bool               // the number of messages or of recent ones grew
	NumMessages   uint32             // after everything here
	NumRecent     uint32             // after everything here
	Flags         []metadata.Message // flags changed by others, ascending
	HighestModSeq metadata.ModSeq
	Gone          bool
}

// Expunged is one removed message.
type Expunged struct {
	Seq SeqNum // for EXPUNGE
	UID metadata.UID
}

// Sync moves the session's snapshot to the present and returns what the client must be told, in the order it must be told:
// expunges (each Seq valid at its moment), then EXISTS, then flags. Without changes there are no expunges, no EXISTS and no
// flags, and it costs no look-up unless Fresh or, of others' mailboxes, every few seconds. Gone when the mailbox was deleted,
// or may not be read any more: the session must be ended or unselected.
// An error leaves the snapshot as it was.
func (sel *Selected) Sync(ctx context.Context, o SyncOptions) (*Updates, error) {
	const op = "mailstore.Sync"
	may := sel.mayRead
	if o.Fresh {
		may = func(ctx context.Context, op string) error { return sel.may(ctx, op, metadata.RightRead) }
	}
	err := may(ctx, op)
	if mailerr.Is(err, mailerr.NotFound) {
		return &Updates{Gone: true, NumMessages: sel.NumMessages(), NumRecent: sel.NumRecent(), HighestModSeq: sel.pos}, nil
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	st := sel.view.state.Load()
	switch {
	case o.Fresh:
		if st, err = sel.view.look(ctx); err == nil && st.modseq() < sel.wrote && !st.gone {
			st, err = sel.view.reach(ctx, sel.wrote)
		}
	case st.modseq() < sel.wrote && !st.gone:
		st, err = sel.view.reach(ctx, sel.wrote)
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	if st.gone {
		return &Updates{Gone: true, NumMessages: sel.NumMessages(), NumRecent: sel.NumRecent(), HighestModSeq: sel.pos}, nil
	}
	if o.GoneOnly || st.version == sel.version && (!sel.kept || o.NoExpunge) {
		return &sel.same, nil
	}
	if st.from > sel.pos {
		if st, err = sel.view.load(ctx); err != nil {
			return nil, wrap(op, err)
		}
	}
	return sel.advance(ctx, st, o), nil
}

// advance moves the snapshot to st and returns what to tell.
func (sel *Selected) advance(ctx context.Context, st *state, o SyncOptions) *Updates {
	u := &Updates{HighestModSeq: st.modseq()}
	known, last, recentBefore := sel.uids, sel.last, sel.same.NumRecent
	if known != st.uids {
		expunged := roaring.AndNot(known, st.uids)
		sel.uids, sel.kept = st.uids, false
		switch {
		case expunged.IsEmpty():
		case o.NoExpunge:
			sel.uids, sel.kept = roaring.Or(st.uids, expunged), true
		default:
			u.Expunged = sequence(known, expunged)
		}
		sel.last = max(last, maxUID(st.uids))
		if !sel.kept && sel.uids.Equals(known) {
			sel.uids = st.uids
		}
	}
	u.Flags = sel.changedFlags(st, known, last)
	if sel.last > last {
		sel.claimRecent(ctx, last+1, st)
	}
	sel.mailbox = st.mailbox
	sel.mailbox.Name = sel.name
	sel.version, sel.pos = st.version, st.modseq()
	if sel.wrote <= sel.pos {
		sel.told = nil
	}
	if !sel.kept {
		sel.toldUpTo.Store(uint64(sel.pos))
	}
	u.NumMessages, u.NumRecent = sel.NumMessages(), sel.NumRecent()
	u.Exists = sel.last > last || u.NumRecent > recentBefore
	sel.same = Updates{NumMessages: u.NumMessages, NumRecent: u.NumRecent, HighestModSeq: u.HighestModSeq}
	return u
}

// sequence returns the expunges of gone, a part of known, in ascending order.
func sequence(known, gone *roaring.Bitmap) []Expunged {
	out := make([]Expunged, 0, gone.GetCardinality())
	for it := gone.Iterator(); it.HasNext(); {
		uid := it.Next()
		out = append(out, Expunged{Seq: SeqNum(known.Rank(uid)) - SeqNum(len(out)), UID: metadata.UID(uid)})
	}
	return out
}

// changedFlags returns the rows of messages up to last in known that changed after pos, but for changes the client knows.
func (sel *Selected) changedFlags(st *state, known *roaring.Bitmap, last metadata.UID) []metadata.Message {
	var out []metadata.Message
	for i := range st.pages {
		p := &st.pages[i]
		if p.modseq <= sel.pos {
			continue
		}
		for j := range p.rows {
			r := &p.rows[j]
			if r.modseq <= sel.pos || r.uid > last || sel.told[r.uid] == r.modseq || !known.Contains(uint32(r.uid)) {
				continue
			}
			out = append(out, metadata.Message{})
			r.message(&out[len(out)-1], st.keywords)
		}
	}
	return out
}

// claimRecent finds out which of the messages from first on are \Recent in this session. A message is in one session at
// most: one that arrives between the reading of st and the claim, which covers it, is in none. RFC 9051 did away with
// \Recent; being wrong on that side hurts nobody.
func (sel *Selected) claimRecent(ctx context.Context, first metadata.UID, st *state) {
	if sel.access != nil {
		return // it is the owner's sessions that messages are new to
	}
	next := st.mailbox.UIDNext
	if sel.mode == ReadOnly {
		// RFC 3501 section 6.3.2: EXAMINE shows them and takes none away.
		if from := max(first, st.mailbox.FirstRecent); from < next {
			sel.addRecent(from, next-1)
		}
		return
	}
	if st.mailbox.FirstRecent >= next || metadata.UID(sel.view.claimed.Load()) >= next {
		return // some session has them already
	}
	was, err := sel.view.store.meta.ClaimRecent(ctx, sel.view.id)
	if err != nil {
		if !mailerr.Is(err, mailerr.NotFound) {
			sel.view.store.log.Debug("claiming recent messages failed", "mailbox", sel.view.id.String(), "err", err)
		}
		return
	}
	for {
		old := sel.view.claimed.Load()
		if old >= uint32(next) || sel.view.claimed.CompareAndSwap(old, uint32(next)) {
			break
		}
	}
	if from := max(first, was); from < next {
		sel.addRecent(from, next-1)
	}
}

// addRecent adds UIDs above all that are there.
func (sel *Selected) addRecent(first, last metadata.UID) {
	if n := len(sel.recent); n > 0 && sel.recent[n-1].Last+1 == first {
		sel.recent[n-1].Last = last
		return
	}
	sel.recent = append(sel.recent, metadata.UIDRange{First: first, Last: last})
}
