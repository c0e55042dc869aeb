package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// OpenMode is how a mailbox is opened: EXAMINE and SELECT.
type OpenMode uint8

// The two ways to open a mailbox.
const (
	ReadOnly OpenMode = iota
	ReadWrite
)

// Open selects a mailbox: a snapshot of its messages as of now, fresh from the database. With ReadWrite its recent messages
// are claimed for this session; those of others' mailboxes are never \Recent. Others' mailboxes need RightRead, and are open
// ReadOnly whatever is asked for when the user may change nothing in them (RFC 4314 section 5.2): see Mode. NotFound,
// Permission.
func (u *User) Open(ctx context.Context, name string, mode OpenMode) (*Selected, error) {
	const op = "mailstore.Open"
	m, err := u.locate(ctx, name, metadata.RightRead)
	if err != nil {
		return nil, wrap(op, err)
	}
	v := u.store.views.acquire(m.Account, m.ID)
	sel := &Selected{user: u, view: v, mode: mode, name: m.Name, changed: make(chan struct{}, 1)}
	if m.place.foreign() {
		sel.access = u.accessTo(m)
		if m.rights&changingRights == 0 {
			sel.mode = ReadOnly
		}
	}
	v.join(sel)
	st, err := v.at(ctx, m.HighestModSeq)
	if err == nil && st.gone {
		err = errGone(op)
	}
	if err != nil {
		sel.Close()
		return nil, wrap(op, err)
	}
	sel.uids, sel.last = st.uids, maxUID(st.uids)
	sel.mailbox, sel.version, sel.pos = st.mailbox, st.version, st.modseq()
	sel.unseen = firstUnseen(st)
	sel.toldUpTo.Store(uint64(sel.pos))
	// The view does not hear of claims; the row that was read just now has the latest.
	fresh := *st
	fresh.mailbox.FirstRecent = max(m.FirstRecent, st.mailbox.FirstRecent)
	sel.mailbox.FirstRecent = fresh.mailbox.FirstRecent
	sel.mailbox.Name = sel.name
	sel.claimRecent(ctx, 1, &fresh)
	sel.same = Updates{NumMessages: sel.NumMessages(), NumRecent: sel.NumRecent(), HighestModSeq: sel.pos}
	return sel, nil
}

// at returns a state with every row, at least at modseq.
func (v *view) at(ctx context.Context, modseq metadata.ModSeq) (*state, error) {
	st, err := v.load(ctx)
	if err != nil || st.gone || st.modseq() >= modseq {
		return st, err
	}
	if _, err = v.reach(ctx, modseq); err != nil {
		return nil, err
	}
	return v.load(ctx)
}
