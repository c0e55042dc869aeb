package mailstore

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/metadata"
)

// SeqNum is a message sequence number: 1 is the first message of the session's snapshot.
type SeqNum uint32

// Selected is one session's use of a mailbox. Its methods are for one goroutine at a time, but for Changed and Close.
type Selected struct {
	user *User
	view *view
	mode OpenMode
	// access is nil for the user's own mailbox.
	access *access
	name   string // what the user knows the mailbox by

	// The snapshot: what the client was told of. uids is often the view's own and never written to.
	uids    *roaring.Bitmap
	last    metadata.UID // the highest UID the session ever knew; what is above is new
	mailbox metadata.Mailbox
	version uint64          // of the state that Sync saw last
	pos     metadata.ModSeq // flags up to here were told
	kept    bool            // uids has messages that are expunged but not announced
	recent  metadata.UIDSet // claimed by this session, may contain expunged ones
	unseen  metadata.UID    // first without \Seen when opened

	wrote metadata.ModSeq                  // the latest change of this session: every later call sees it
	told  map[metadata.UID]metadata.ModSeq // changes the caller of StoreFlags told its client of

	same     Updates       // what Sync returns when there is nothing to tell
	toldUpTo atomic.Uint64 // MODSEQ up to which every expunge was announced
	changed  chan struct{}
	closed   atomic.Bool
}

// Mailbox returns the row as of the last Sync (or Open).
func (sel *Selected) Mailbox() metadata.Mailbox { return sel.mailbox }

// Mode returns how it was opened.
func (sel *Selected) Mode() OpenMode { return sel.mode }

// NumMessages returns how many messages the session knows.
func (sel *Selected) NumMessages() uint32 { return uint32(sel.uids.GetCardinality()) }

// NumRecent returns how many of them are \Recent in this session.
func (sel *Selected) NumRecent() uint32 {
	n := uint32(0)
	for _, r := range sel.recent {
		n += uint32(sel.uids.CardinalityInRange(uint64(r.First), uint64(r.Last)+1))
	}
	return n
}

// IsRecent reports whether the message is \Recent in this session.
func (sel *Selected) IsRecent(uid metadata.UID) bool {
	return len(sel.recent) > 0 && sel.recent.Contains(uid) && sel.uids.Contains(uint32(uid))
}

// FirstUnseen returns the sequence number of the first message without \Seen, 0 for none.
func (sel *Selected) FirstUnseen() SeqNum {
	st := sel.view.state.Load()
	if !st.complete() {
		return sel.Seq(sel.unseen)
	}
	return sel.Seq(firstUnseen(st))
}

func firstUnseen(st *state) metadata.UID {
	if st.mailbox.Unseen == 0 {
		return 0
	}
	for i := range st.pages {
		for j := range st.pages[i].rows {
			if r := &st.pages[i].rows[j]; r.flags&metadata.FlagSeen == 0 {
				return r.uid
			}
		}
	}
	return 0
}

// Keywords returns the keywords in use in the mailbox, sorted; for FLAGS and PERMANENTFLAGS. Some that were in use a while
// ago may be among them.
func (sel *Selected) Keywords() []string {
	var words []string
	for _, list := range sel.view.state.Load().keywords {
		words = append(words, strings.Fields(list)...)
	}
	slices.SortFunc(words, compareKeywords)
	return slices.CompactFunc(words, strings.EqualFold)
}

// UID returns the UID of a sequence number; 0 when the session knows no such message.
func (sel *Selected) UID(seq SeqNum) metadata.UID {
	if seq == 0 {
		return 0
	}
	uid, err := sel.uids.Select(uint32(seq) - 1)
	if err != nil {
		return 0
	}
	return metadata.UID(uid)
}

// Seq returns the sequence number of a UID; 0 when the session knows no such message.
func (sel *Selected) Seq(uid metadata.UID) SeqNum {
	if !sel.uids.Contains(uint32(uid)) {
		return 0
	}
	return SeqNum(sel.uids.Rank(uint32(uid)))
}

// Changed returns a channel that receives (at least) one value after something may have changed since the last Sync. For
// IDLE. May be waited on beside other things by another goroutine.
func (sel *Selected) Changed() <-chan struct{} { return sel.changed }

func (sel *Selected) signal() {
	select {
	case sel.changed <- struct{}{}:
	default:
	}
}

// Close gives the mailbox up.
func (sel *Selected) Close() {
	if sel.closed.Swap(true) {
		return
	}
	sel.view.leave(sel)
	sel.view.store.views.release(sel.view)
}
