package imapd

import (
	"github.com/rookery-mail/rookery/metadata"
)

// maxSavedRanges bounds what a session saves: 8 bytes a range of UIDs.
const maxSavedRanges = 1 << 17

// savedUIDs returns what "$" stands for (RFC 5182): the saved messages that the session still knows. UIDs are never used again,
// so a message that was expunged since is not in the snapshot.
func (s *session) savedUIDs() metadata.UIDSet {
	return existing(s.sel, s.saved)
}

// save sets what "$" stands for.
func (s *session) save(uids metadata.UIDSet) error {
	if len(uids) > maxSavedRanges {
		return no("NOTSAVED", "Too many messages apart from each other") // RFC 5182 section 2.5
	}
	s.saved = uids
	return nil
}

// saves returns what SAVE saves of the messages found (RFC 5182 section 2.4): with MIN, MAX and PARTIAL and no other result
// option only those.
func (r searchReturn) saves(hits []searchHit) metadata.UIDSet {
	if len(hits) == 0 {
		return nil
	}
	var uids []metadata.UID
	partial := r.partial != (partialRange{})
	if (r.min || r.max || partial) && !r.all && !r.count {
		if r.min {
			uids = append(uids, hits[0].uid)
		}
		if r.max {
			uids = append(uids, hits[len(hits)-1].uid)
		}
		if partial { // RFC 9394 section 3.2
			from, to := r.partial.of(len(hits))
			for _, h := range hits[from:to] {
				uids = append(uids, h.uid)
			}
		}
		return metadata.UIDSetOf(uids...)
	}
	uids = make([]metadata.UID, len(hits))
	for i := range hits {
		uids[i] = hits[i].uid
	}
	return metadata.UIDSetOf(uids...)
}
