package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// limit makes of what a sync may tell what NOTIFY lets it: nothing of a mailbox whose events the client does not want, unless a
// command of its own needs it.
func (n *notification) limit(s *session, o *mailstore.SyncOptions) {
	if n != nil && n.selected == nil && !s.caused {
		o.GoneOnly = true
	}
}

// tellsFlags reports whether the client wants to know what flags others change.
func (n *notification) tellsFlags() bool { return n == nil || n.selected != nil && n.selected.flags }

// arrived returns the messages that came since UIDNEXT was from, but for those that the command itself put there.
func (s *session) arrived(from metadata.UID) metadata.UIDSet {
	next := s.sel.Mailbox().UIDNext
	if from >= next {
		return nil
	}
	var uids []metadata.UID
	for seq := mailstore.SeqNum(s.sel.NumMessages()); seq > 0; seq-- {
		uid := s.sel.UID(seq)
		if uid < from {
			break
		}
		if !s.appended.Contains(uid) {
			uids = append(uids, uid)
		}
	}
	return metadata.UIDSetOf(uids...)
}

// fetchArrived sends what the client wants of new messages (RFC 5465 section 5.2). Trouble is not told: the client knows that they
// are there.
func (s *session) fetchArrived(ctx context.Context, uids metadata.UIDSet) {
	if len(uids) == 0 || s.notify == nil || s.notify.selected == nil || s.notify.selected.fetch == nil {
		return
	}
	s.fetchEvent(ctx, &fetchRun{fetch: s.notify.selected.fetch, s: s, w: s.w}, uids)
}

// fetchEvent sends FETCH responses that no command asked for.
func (s *session) fetchEvent(ctx context.Context, r *fetchRun, uids metadata.UIDSet) {
	var err error
	switch {
	case r.body:
		err = r.windows(ctx, uids)
	case r.threads:
		err = r.rowsWithThreads(ctx, uids)
	default:
		err = r.rows(ctx, uids)
	}
	if err != nil && ctx.Err() == nil && s.w.Err() == nil {
		s.log.Warn("new messages cannot be fetched", "error", err)
	}
}

// fetchAdded sends what the client wants of new messages that became results of a search (RFC 5465 section 7), together with what
// NOTIFY wants of them, and returns them. Nobody else touches the session meanwhile.
func (s *session) fetchAdded(ctx context.Context, x *searchContext, added []searchHit, fresh metadata.UIDSet) metadata.UIDSet {
	if x.ret.fetch == nil {
		return nil
	}
	var uids []metadata.UID
	for _, h := range added {
		if fresh.Contains(h.uid) {
			uids = append(uids, h.uid)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	f := x.ret.fetch
	if n := s.notify; n != nil && n.selected != nil && n.selected.fetch != nil {
		f = f.with(n.selected.fetch)
	}
	set := metadata.UIDSetOf(uids...)
	s.fetchEvent(ctx, &fetchRun{fetch: f, s: s, w: s.w, held: true}, set)
	return set
}

// with returns a fetch of the items of both.
func (f *fetch) with(other *fetch) *fetch {
	both := &fetch{items: append([]fetchItem(nil), f.items...)}
	for _, it := range other.items {
		both.add(it)
	}
	both.plan()
	return both
}

// holdFlags notes that changes of flags are kept from the client.
func (s *session) holdFlags(changed []metadata.Message) {
	for i := range changed {
		if before := changed[i].ModSeq - 1; s.heldFlags == 0 || before < s.heldFlags {
			s.heldFlags = before
		}
	}
}
