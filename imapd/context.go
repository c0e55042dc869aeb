package imapd

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// maxContexts is how many searches of a session tell of changes, and maxSortContexts how many of those are sorted.
	maxContexts     = 8
	maxSortContexts = 2
	// maxContextRows and maxContextBytes bound the results and the texts that a sorted context keeps.
	maxContextRows  = 20_000
	maxContextBytes = 4 << 20
	// maxContextReads is how many messages are looked into for one context at a time.
	maxContextReads = 1000
)

// searchContext is a SEARCH or SORT with RETURN (UPDATE) (RFC 5267 section 4.3): its client is told how its results change, at
// the end of the commands with which it is told of the changes themselves.
type searchContext struct {
	*search
	tag     string
	results *roaring.Bitmap // UIDs
	rows    []sortRow       // the results in their order, for SORT
	modseq  metadata.ModSeq // changes up to here are in results
	last    metadata.UID    // so are messages up to here
}

// snapshot is how far a session knows its mailbox.
type snapshot struct {
	modseq metadata.ModSeq
	last   metadata.UID
	told   uint64 // see session.told
}

func (s *session) snapshot() snapshot {
	return snapshot{s.sel.Mailbox().HighestModSeq, s.sel.UID(mailstore.SeqNum(s.sel.NumMessages())), s.told}
}

func (s *session) findContext(tag string) *searchContext {
	i := slices.IndexFunc(s.contexts, func(x *searchContext) bool { return x.tag == tag })
	if i < 0 {
		return nil
	}
	return s.contexts[i]
}

// keepContext begins to tell of changes to the results of a search, or says why not. from is what the session knew when the
// search began.
func (s *session) keepContext(c *search, r *searchRun, from snapshot) {
	if why := s.refuseContext(c, r); why != "" {
		s.refuseUpdate(s.tag, why)
		return
	}
	x := &searchContext{search: c, tag: s.tag, results: roaring.New(), rows: r.rows, modseq: from.modseq, last: from.last}
	for i := range r.hits {
		x.results.Add(uint32(r.hits[i].uid))
	}
	x.results.RunOptimize()
	s.contexts = append(s.contexts, x)
}

func (s *session) refuseContext(c *search, r *searchRun) string {
	if len(s.contexts) >= maxContexts {
		return "Too many contexts"
	}
	if r.cut.lowest != 0 {
		return "Too many messages"
	}
	if c.criteria == nil {
		return ""
	}
	sorted := 0
	for _, x := range s.contexts {
		if x.criteria != nil {
			sorted++
		}
	}
	size := 0
	for i := range r.rows {
		for _, v := range r.rows[i].values {
			size += len(v.text)
		}
	}
	switch {
	case sorted >= maxSortContexts:
		return "Too many sorted contexts"
	case len(r.rows) > maxContextRows || size > maxContextBytes:
		return "Too many messages"
	}
	return ""
}

// refuseUpdate says that changes will not be told (RFC 5267 section 4.3.1).
func (s *session) refuseUpdate(tag, why string) {
	s.status("NO", `NOUPDATE "`+tag+`"`, why)
}

// forgetExpunged tells of results that are expunged, before the client is told so itself: sequence numbers are those of before.
func (s *session) forgetExpunged(expunged []mailstore.Expunged) {
	if len(expunged) == 0 {
		return
	}
	for _, x := range s.contexts {
		hits := make([]searchHit, 0, len(expunged))
		for i, e := range expunged {
			if x.results.Contains(uint32(e.UID)) {
				// Each was counted after those before it were removed.
				hits = append(hits, searchHit{seq: e.Seq + mailstore.SeqNum(i), uid: e.UID})
			}
		}
		if len(hits) > 0 {
			u := s.beginUpdate(x)
			u.remove(hits)
			u.end()
		}
	}
}

// updateContexts tells how results have changed with the flags and the messages that the client was just told of. It holds the
// session's lock all the time: what it looks at is little. Trouble only delays it. Of the messages in fresh, which are new, it
// returns those that were not fetched for a context.
func (s *session) updateContexts(ctx context.Context, fresh metadata.UIDSet) metadata.UIDSet {
	if len(s.contexts) == 0 {
		return fresh
	}
	left := fresh
	now := s.snapshot()
	s.contexts = slices.DeleteFunc(s.contexts, func(x *searchContext) bool {
		if x.modseq >= now.modseq && x.last >= now.last {
			return false
		}
		why, fetched, err := s.updateContext(ctx, x, fresh)
		left = without(left, fetched)
		switch {
		case err != nil:
			s.log.Warn("results of a search are not brought up to date", "error", err)
		case why != "":
			s.refuseUpdate(x.tag, why)
			return true
		default:
			x.modseq, x.last = max(x.modseq, now.modseq), max(x.last, now.last)
		}
		return false
	})
	return left
}

// without returns the UIDs of a set that are not in another.
func without(uids, other metadata.UIDSet) metadata.UIDSet {
	if len(other) == 0 {
		return uids
	}
	var left []metadata.UID
	uids.All(func(uid metadata.UID) bool {
		if !other.Contains(uid) {
			left = append(left, uid)
		}
		return true
	})
	return metadata.UIDSetOf(left...)
}

// updateContext evaluates what changed anew, and tells. why says that the context has to be given up; fetched are the messages in
// fresh that the client was sent.
func (s *session) updateContext(ctx context.Context, x *searchContext, fresh metadata.UIDSet) (why string, fetched metadata.UIDSet, err error) {
	var changed []searchHit
	err = s.sel.Messages(ctx, s.sel.AllUIDs(), func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone && (m.ModSeq > x.modseq || m.UID > x.last) {
			changed = append(changed, searchHit{seq, m.UID, m.ModSeq})
		}
		return true
	})
	if err != nil || len(changed) == 0 {
		return "", nil, err
	}
	if len(changed) > maxContextReads && len(x.program.content) > 0 {
		return "Too many changes", nil, nil
	}
	uids := make([]metadata.UID, len(changed))
	for i := range changed {
		uids[i] = changed[i].uid
	}
	r := s.newSearchRun(ctx, s.sel, x.program)
	r.away = func(wait func() error) error { return wait() }
	r.progress = nil // that is of the command
	r.only = metadata.UIDSetOf(uids...)
	if err := r.run(); err != nil {
		return "", nil, err
	}
	var removed, added []searchHit
	found := r.hits
	for _, h := range changed {
		for len(found) > 0 && found[0].uid < h.uid {
			found = found[1:]
		}
		switch is, was := len(found) > 0 && found[0].uid == h.uid, x.results.Contains(uint32(h.uid)); {
		case is && !was:
			added = append(added, h)
		case was && !is:
			removed = append(removed, h)
		}
	}
	var rows []sortRow
	if x.criteria != nil && len(added) > 0 {
		if r.hits = added; len(x.rows)+len(added) > maxContextRows {
			return "Too many messages", nil, nil
		}
		if rows, err = r.sortRows(x.criteria); err != nil {
			return "", nil, err
		}
	}
	fetched = s.fetchAdded(ctx, x, added, fresh)
	if len(removed)+len(added) > 0 {
		u := s.beginUpdate(x)
		u.remove(removed)
		u.add(added, rows)
		u.end()
	}
	return "", fetched, nil
}
