package imapd

import (
	"iter"
	"strconv"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// messageSet is the sequence set of a command: message sequence numbers, or UIDs in the command's UID form; or "$", what the
// last SEARCH saved (RFC 5182), which is neither.
type messageSet struct {
	ranges []mailstore.SeqRange
	uid    bool
	saved  bool
}

func parseMessageSet(p *wire.Parser, uid bool) (messageSet, error) {
	ranges, saved, err := p.SequenceSet()
	if err != nil {
		return messageSet{}, err
	}
	set := messageSet{ranges: make([]mailstore.SeqRange, len(ranges)), uid: uid, saved: saved}
	for i, r := range ranges {
		set.ranges[i] = mailstore.SeqRange(r)
	}
	return set, nil
}

// resolve returns the UIDs that are meant, in the session's snapshot. A sequence number out of range is BAD; a UID that
// does not exist is passed over (RFC 9051 section 6.4.9).
func (m messageSet) resolve(s *session) (metadata.UIDSet, error) {
	if m.saved || m.uid {
		return m.resolveLoosely(s), nil
	}
	uids, ok := s.sel.ResolveSeqs(m.ranges)
	if !ok {
		return nil, bad("No message has that sequence number")
	}
	return uids, nil
}

// resolveLoosely is resolve for SEARCH, where a sequence number out of range is no error: it matches nothing. Clients search
// 1:* in empty mailboxes.
func (m messageSet) resolveLoosely(s *session) metadata.UIDSet {
	if m.saved {
		return s.savedUIDs()
	}
	return m.resolveIn(s.sel)
}

// resolveIn is resolveLoosely in any mailbox, for what is not "$".
func (m messageSet) resolveIn(sel *mailstore.Selected) metadata.UIDSet {
	if m.uid {
		return sel.ResolveUIDs(m.ranges)
	}
	last := sel.NumMessages()
	var within []mailstore.SeqRange
	for _, r := range m.ranges {
		if r.First == 0 {
			r.First = last
		}
		if r.Last == 0 {
			r.Last = last
		}
		r.First, r.Last = min(r.First, r.Last), max(r.First, r.Last)
		if r.First > last || r.Last == 0 {
			continue
		}
		within = append(within, mailstore.SeqRange{First: max(r.First, 1), Last: min(r.Last, last)})
	}
	if len(within) == 0 {
		return nil
	}
	uids, _ := sel.ResolveSeqs(within)
	return uids
}

// goneError is the completion of a command that could not treat all of its messages because others expunged them. UIDs that do
// not exist are no error (RFC 9051 section 6.4.9); a sequence number that was announced is the client's right to use.
func (m messageSet) goneError() error {
	typ := "NO"
	if m.uid {
		typ = "OK"
	}
	return &statusError{typ: typ, code: "EXPUNGEISSUED", text: "Some of the messages no longer exist"}
}

// windows cuts a set into sets of at most n UIDs.
func windows(set metadata.UIDSet, n int) iter.Seq[metadata.UIDSet] {
	return func(yield func(metadata.UIDSet) bool) {
		var window metadata.UIDSet
		room := n
		for _, r := range set {
			for {
				take := min(uint64(r.Last)-uint64(r.First)+1, uint64(room))
				last := r.First + metadata.UID(take-1)
				window = append(window, metadata.UIDRange{First: r.First, Last: last})
				if room -= int(take); room == 0 {
					if !yield(window) {
						return
					}
					window, room = nil, n
				}
				if last == r.Last {
					break
				}
				r.First = last + 1
			}
		}
		if len(window) > 0 {
			yield(window)
		}
	}
}

// setWriter writes ascending numbers as a sequence set. With a nil w it keeps the set, for String.
type setWriter struct {
	w           *wire.Writer
	b           []byte
	first, last uint32
	started     bool
}

func (s *setWriter) add(n uint32) {
	switch {
	case s.first == 0:
		s.first, s.last = n, n
	case n == s.last+1:
		s.last = n
	case n != s.last:
		s.put()
		s.first, s.last = n, n
	}
}

// addRange adds the numbers first to last.
func (s *setWriter) addRange(first, last uint32) {
	s.add(first)
	s.last = last
}

func (s *setWriter) put() {
	if s.first == 0 {
		return
	}
	if s.started {
		s.b = append(s.b, ',')
	}
	s.started = true
	s.b = strconv.AppendUint(s.b, uint64(s.first), 10)
	if s.last != s.first {
		s.b = append(s.b, ':')
		s.b = strconv.AppendUint(s.b, uint64(s.last), 10)
	}
	s.first = 0
	if s.w != nil {
		s.w.RawBytes(s.b)
		s.b = s.b[:0]
	}
}

// close writes what is left.
func (s *setWriter) close() { s.put() }

// String ends the set and returns it.
func (s *setWriter) String() string {
	s.put()
	return string(s.b)
}

// formatUIDs returns ascending UIDs as a sequence set.
func formatUIDs(uids []metadata.UID) string {
	var s setWriter
	for _, u := range uids {
		s.add(uint32(u))
	}
	return s.String()
}
