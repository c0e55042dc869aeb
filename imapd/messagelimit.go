package imapd

import (
	"strconv"

	"github.com/rookery-mail/rookery/metadata"
)

// cutShort is what MESSAGELIMIT (RFC 9738) left of a command: only the messages with the highest UIDs, down to lowest. The zero value:
// everything.
type cutShort struct{ lowest metadata.UID }

// highest returns as many messages of a set, all of which exist, as one command may process: those with the highest UIDs (RFC 9738
// section 3.1).
func (s *session) highest(uids metadata.UIDSet) (metadata.UIDSet, cutShort) {
	most := s.srv.cfg.MaxMessagesPerCommand
	if most == 0 || uids.Len() <= most {
		return uids, cutShort{}
	}
	kept := lastOf(uids, most)
	return kept, cutShort{lowest: kept[0].First}
}

// lastOf returns the n highest UIDs of a set that has more.
func lastOf(uids metadata.UIDSet, n int) metadata.UIDSet {
	i := len(uids)
	for n > 0 {
		i--
		size := int(uids[i].Last-uids[i].First) + 1
		if size > n {
			kept := append(metadata.UIDSet(nil), uids[i:]...)
			kept[0].First = kept[0].Last - metadata.UID(n-1)
			return kept
		}
		n -= size
	}
	return uids[i:]
}

// completion adds what was cut short to a command's completion: as its code if it has none, otherwise untagged, before it.
func (c cutShort) completion(s *session, err error) error {
	if c.lowest == 0 {
		return err
	}
	code, text := limitCode(s.srv.cfg.MaxMessagesPerCommand, c.lowest), "Only the messages with the highest UIDs were processed"
	if err == nil {
		return &statusError{typ: "OK", code: code, text: text}
	}
	if st, ours := statusOf(err); !ours && (st.typ == "OK" || st.code == "EXPUNGEISSUED") {
		if st.code == "" && !st.highest {
			return &statusError{typ: "OK", code: code, text: text}
		}
		s.status("NO", code, text)
	}
	return err
}

// limitCode is the response code MESSAGELIMIT.
func limitCode(most int, lowest metadata.UID) string {
	code := "MESSAGELIMIT " + strconv.Itoa(most)
	if lowest != 0 {
		code += " " + strconv.FormatUint(uint64(lowest), 10)
	}
	return code
}

// mostSaved is how many messages COPY and APPEND may add at once; 0: no limit.
func (s *session) mostSaved() int {
	if n := s.srv.cfg.MaxMessagesPerCommand; n > 0 {
		return n
	}
	return s.srv.cfg.MaxMessagesPerSave
}

// tooMany refuses a command that is done for all of its messages or for none. lowest is the lowest UID of those that would be
// enough; 0 where there is none.
func tooMany(most int, lowest metadata.UID) error {
	return no(limitCode(most, lowest), "Too many messages at once, try fewer")
}

// tooWide refuses a PARTIAL that is for more messages than one command may process.
func (s *session) tooWide(r partialRange) error {
	most := s.srv.cfg.MaxMessagesPerCommand
	if most == 0 || r == (partialRange{}) || max(r.a, r.b)-min(r.a, r.b) < uint32(most) {
		return nil
	}
	return tooMany(most, 0)
}

// limitCapability is MESSAGELIMIT=n, or SAVELIMIT=n where only COPY and APPEND have a limit.
func (s *session) limitCapability() string {
	switch cfg := &s.srv.cfg; {
	case cfg.MaxMessagesPerCommand > 0:
		return " MESSAGELIMIT=" + strconv.Itoa(cfg.MaxMessagesPerCommand)
	case cfg.MaxMessagesPerSave > 0:
		return " SAVELIMIT=" + strconv.Itoa(cfg.MaxMessagesPerSave)
	}
	return ""
}

// intersect returns the UIDs that are in both sets.
func intersect(a, b metadata.UIDSet) metadata.UIDSet {
	var both metadata.UIDSet
	for len(a) > 0 && len(b) > 0 {
		first, last := max(a[0].First, b[0].First), min(a[0].Last, b[0].Last)
		if first <= last {
			both = append(both, metadata.UIDRange{First: first, Last: last})
		}
		if a[0].Last < b[0].Last {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}
