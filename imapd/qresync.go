package imapd

import (
	"context"
	"math"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// qresync is the QRESYNC parameter of SELECT and EXAMINE (RFC 7162 section 3.2.5): what the client knows of the mailbox.
type qresync struct {
	uidValidity metadata.UIDValidity
	modSeq      metadata.ModSeq
	known       metadata.UIDSet // nil: not said
	seqs, uids  []mailstore.SeqRange
}

// enableQresync is ENABLE QRESYNC.
func (s *session) enableQresync() {
	s.enableCondstore()
	s.qresync = true
}

var errNoQresync = bad("QRESYNC was not enabled")

// parseQresync reads the parameter from the space after its name on.
func parseQresync(p *wire.Parser) (*qresync, error) {
	q := &qresync{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var args int
	err := p.List(func() error {
		args++
		switch args {
		case 1:
			n, err := p.Number()
			q.uidValidity = metadata.UIDValidity(n)
			return err
		case 2:
			n, err := p.Number64()
			q.modSeq = metadata.ModSeq(n)
			return err
		case 3:
			if p.Peek() != '(' {
				ranges, err := parseKnown(p)
				q.known = uidSetOf(ranges)
				return err
			}
			args++ // the third may be left out
			return q.parseMatch(p)
		case 4:
			return q.parseMatch(p)
		}
		return &wire.SyntaxError{Text: "Too many arguments of QRESYNC"}
	})
	if err == nil && args < 2 {
		err = &wire.SyntaxError{Text: "QRESYNC needs UIDVALIDITY and a MODSEQ"}
	}
	return q, err
}

// parseMatch reads the message sequence match data (section 3.2.5.2).
func (q *qresync) parseMatch(p *wire.Parser) (err error) {
	if err = p.Expect('('); err != nil {
		return err
	}
	if q.seqs, err = parseAscending(p); err != nil {
		return err
	}
	if err = p.SP(); err != nil {
		return err
	}
	if q.uids, err = parseAscending(p); err != nil {
		return err
	}
	if count(q.seqs) != count(q.uids) {
		return &wire.SyntaxError{Text: "As many sequence numbers as UIDs are needed"}
	}
	return p.Expect(')')
}

// parseKnown reads a sequence set without "*" and "$".
func parseKnown(p *wire.Parser) ([]mailstore.SeqRange, error) {
	set, err := parseMessageSet(p, true)
	if err != nil {
		return nil, err
	}
	if set.saved {
		return nil, &wire.SyntaxError{Text: "$ is not allowed here"}
	}
	for i := range set.ranges {
		r := &set.ranges[i]
		if r.First == 0 || r.Last == 0 {
			return nil, &wire.SyntaxError{Text: "* is not allowed here"}
		}
		r.First, r.Last = min(r.First, r.Last), max(r.First, r.Last)
	}
	return set.ranges, nil
}

func parseAscending(p *wire.Parser) ([]mailstore.SeqRange, error) {
	ranges, err := parseKnown(p)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(ranges); i++ {
		if ranges[i].First <= ranges[i-1].Last {
			return nil, &wire.SyntaxError{Text: "Numbers must ascend"}
		}
	}
	return ranges, nil
}

func count(ranges []mailstore.SeqRange) (n uint64) {
	for _, r := range ranges {
		n += uint64(r.Last-r.First) + 1
	}
	return n
}

// uidSetOf returns ranges, in any order, as a set; never nil.
func uidSetOf(ranges []mailstore.SeqRange) metadata.UIDSet {
	set := make(metadata.UIDSet, len(ranges))
	for i, r := range ranges {
		set[i] = metadata.UIDRange{First: metadata.UID(r.First), Last: metadata.UID(r.Last)}
	}
	return append(metadata.UIDSet{}, metadata.UIDSetOfRanges(set...)...)
}

// respond tells the client what happened since it knew the mailbox, which has just been opened.
func (q *qresync) respond(ctx context.Context, s *session) error {
	if q.uidValidity != s.sel.Mailbox().UIDValidity {
		return nil // RFC 7162 section 3.2.5: the client sees that from UIDVALIDITY
	}
	upTo := s.sel.MatchUpTo(q.seqs, q.uids)
	gone, err := s.sel.Vanished(ctx, mailstore.VanishedRequest{Since: q.modSeq, UIDs: q.known, KnownUpTo: upTo})
	if err != nil {
		return err
	}
	s.writeVanished(gone, earlier)
	uids := s.sel.AllUIDs()
	if q.known != nil {
		uids = q.known
	}
	return s.sel.MessagesSince(ctx, uids, q.modSeq, func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone {
			s.nameKeywords(m.Keywords)
			s.writeFlagsUpdate(m)
		}
		return s.w.Err() == nil && ctx.Err() == nil
	})
}

// vanishedForm is which of the two forms of VANISHED (RFC 7162 section 3.2.10).
type vanishedForm string

const (
	earlier vanishedForm = "* VANISHED (EARLIER) " // of messages expunged before the client looked
	now     vanishedForm = "* VANISHED "           // of messages that the client has
)

// writeVanished writes the VANISHED response for UIDs, if there are any.
func (s *session) writeVanished(uids metadata.UIDSet, form vanishedForm) {
	if len(uids) == 0 {
		return
	}
	s.w.Raw(string(form))
	set := setWriter{w: s.w}
	for _, r := range uids {
		set.addRange(uint32(r.First), uint32(r.Last))
	}
	set.close()
	s.w.CRLF()
}

// vanishedUIDs returns the UIDs that a UID FETCH with VANISHED asks about: those of its set, whether they are there or not.
// "*" reaches to the last UID that was given out, since the messages after the one that is last now may be what is gone.
func (m messageSet) vanishedUIDs(s *session) metadata.UIDSet {
	if m.saved {
		return s.saved
	}
	star := uint32(s.sel.Mailbox().UIDNext)
	if n := s.sel.NumMessages(); n > 0 {
		star = uint32(s.sel.UID(mailstore.SeqNum(n)))
	}
	ranges := make([]mailstore.SeqRange, len(m.ranges))
	for i, r := range m.ranges {
		if r.First == 0 || r.Last == 0 {
			if r.First = max(r.First, r.Last); r.First == 0 || r.First > star {
				r.First = star
			}
			r.Last = math.MaxUint32
		}
		ranges[i] = mailstore.SeqRange{First: min(r.First, r.Last), Last: max(r.First, r.Last)}
	}
	return uidSetOf(ranges)
}

// tellVanished is the VANISHED modifier of UID FETCH (RFC 7162 section 3.2.6).
func (f *fetch) tellVanished(ctx context.Context, s *session) error {
	gone, err := s.sel.Vanished(ctx, mailstore.VanishedRequest{Since: *f.changedSince, UIDs: f.set.vanishedUIDs(s)})
	if err != nil {
		return err
	}
	s.writeVanished(gone, earlier)
	return nil
}

// tellWithheld tells a client that uses QRESYNC how far it knows everything, while it was told of flags that changed after
// expunges it was not told of, or news could not be read: otherwise it would take the highest MODSEQ it saw for what it knows
// (RFC 7162 sections 3.2 and 6).
func (s *session) tellWithheld() {
	if !s.qresync || s.end != nil {
		return
	}
	if upTo, all := s.sel.ToldUpTo(); !all {
		s.w.Raw("* OK [HIGHESTMODSEQ ").Number(uint64(upTo))
		s.remark("Expunges are held back")
	}
}
