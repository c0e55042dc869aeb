package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var fetchCommand = command{
	name:   "FETCH",
	own:    true,
	states: selected,
	seqs:   true,
	parse:  func(p *wire.Parser) (runner, error) { return parseFetch(p, false) },
}

var uidFetchCommand = command{
	name:   "UID FETCH",
	own:    true,
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return parseFetch(p, true) },
}

// fetch is FETCH and UID FETCH (RFC 3501 section 6.4.5), with the MODSEQ item and CHANGEDSINCE of RFC 7162
// and PARTIAL of RFC 9394.
type fetch struct {
	set          messageSet
	items        []fetchItem
	changedSince *metadata.ModSeq // only messages with a MODSEQ above it
	vanished     bool             // and those that were expunged since (RFC 7162 section 3.2.6)
	partial      partialRange     // only these of the set (RFC 9394); zero: all

	// What the items need.
	addedUID  bool // UID is the first item, and nobody asked for it
	flags     bool // FLAGS is asked for
	modseq    bool // MODSEQ is asked for
	threads   bool // THREADID is asked for
	seen      bool // the items set \Seen
	body      bool // the body's row
	structure bool // its summary
	envelope  bool // the envelope in its summary
	bytes     bool // perhaps the body itself
	preview   bool // the beginning of its text, which mostly is in the summary
}

func parseFetch(p *wire.Parser, uid bool) (runner, error) {
	f := &fetch{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if f.set, err = parseMessageSet(p, uid); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if err := f.parseItems(p); err != nil {
		return nil, err
	}
	if !p.EOF() {
		if err := f.parseModifiers(p); err != nil {
			return nil, err
		}
	}
	if err := p.End(); err != nil {
		return nil, err
	}
	if f.vanished && f.changedSince == nil {
		return nil, &wire.SyntaxError{Text: "VANISHED needs CHANGEDSINCE"}
	}
	f.plan()
	return f, nil
}

// parseModifiers reads the modifiers of RFC 4466 section 2.4.
func (f *fetch) parseModifiers(p *wire.Parser) error {
	if err := p.SP(); err != nil {
		return err
	}
	return p.List(func() error {
		switch {
		case p.TryKeyword("CHANGEDSINCE"):
			if err := p.SP(); err != nil {
				return err
			}
			n, err := p.Number64()
			since := metadata.ModSeq(n)
			f.changedSince = &since
			return err
		case f.set.uid && p.TryKeyword("VANISHED"):
			f.vanished = true
			return nil
		case f.set.uid && p.TryKeyword("PARTIAL"):
			var err error
			f.partial, err = parsePartial(p)
			return err
		}
		return &wire.SyntaxError{Text: "Unknown FETCH modifier"}
	})
}

// plan completes the items with those that come without being asked for, and works out what they need.
func (f *fetch) plan() {
	if f.changedSince != nil {
		f.items = prepend(f.items, fetchModSeq, "MODSEQ") // RFC 7162 section 3.1.4.1
	}
	if f.set.uid {
		asked := len(f.items)
		f.items = prepend(f.items, fetchUID, "UID") // RFC 3501 section 6.4.8
		f.addedUID = len(f.items) > asked
	}
	for i := range f.items {
		switch it := &f.items[i]; it.kind {
		case fetchFlags:
			f.flags = true
		case fetchModSeq:
			f.modseq = true
		case fetchThreadID:
			f.threads = true
		case fetchEnvelope:
			f.body, f.envelope = true, true
		case fetchBody, fetchBodyStructure:
			f.body, f.structure = true, true
		case fetchSection:
			f.body = true
			f.seen = f.seen || !it.section.Peek
			f.structure = f.structure || !wholeMessage(it.section)
			f.bytes = f.bytes || !(headerFields(it.section) && len(it.section.Part) == 0 && newFieldFilter(it.section).fromSummary())
		case fetchPreview:
			f.body, f.structure, f.preview = true, true, true
		case fetchBinary, fetchBinarySize:
			f.body, f.structure, f.bytes = true, true, true
			f.seen = f.seen || !it.section.Peek
		}
	}
}

// order: what a message's body is never changes.
func (f *fetch) order() order {
	o := beside(messages|searchResult, 0)
	if f.flags || f.modseq || f.changedSince != nil {
		o.reads |= flags
	}
	if f.seen {
		o.changes |= flags | mailboxes // STATUS UNSEEN
	}
	return o
}

func (f *fetch) run(ctx context.Context, s *session) error {
	if f.vanished && !s.qresync {
		return errNoQresync
	}
	uids, err := f.set.resolve(s)
	if err != nil {
		return err
	}
	if err := s.tooWide(f.partial); err != nil {
		return err
	}
	if f.partial != (partialRange{}) {
		uids = f.partial.pick(uids) // RFC 9394 section 3.4: first the range, then CHANGEDSINCE
	}
	if f.modseq {
		s.enableCondstore()
	}
	if f.addedUID && s.uidOnly {
		f.items = f.items[1:] // UIDFETCH begins with it
	}
	r := fetchRun{fetch: f, s: s, w: s.w}
	uids, cut, err := r.highest(ctx, uids)
	if err != nil {
		return err
	}
	if f.vanished {
		if err := f.tellVanished(ctx, s); err != nil {
			return err
		}
	}
	switch {
	case f.body:
		err = r.windows(ctx, uids)
	case f.threads:
		err = r.rowsWithThreads(ctx, uids)
	default:
		err = r.rows(ctx, uids)
	}
	if err != nil {
		return err
	}
	if r.gone {
		err = f.set.goneError()
	}
	return cut.completion(s, err)
}

// highest returns the messages that are answered. With CHANGEDSINCE only those that changed count for MESSAGELIMIT.
func (r *fetchRun) highest(ctx context.Context, uids metadata.UIDSet) (_ metadata.UIDSet, _ cutShort, err error) {
	if most := r.s.srv.cfg.MaxMessagesPerCommand; r.changedSince != nil && most > 0 && uids.Len() > most {
		if uids, err = r.changed(ctx, uids); err != nil {
			return nil, cutShort{}, err
		}
	}
	uids, cut := r.s.highest(uids)
	return uids, cut, nil
}

// rows answers from the view alone.
func (r *fetchRun) rows(ctx context.Context, uids metadata.UIDSet) error {
	return r.messages(ctx, uids, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		switch {
		case gone:
			r.gone = true
		default:
			if r.flags {
				r.nameKeywords(m)
			}
			r.s.beginFetch(seq, m.UID)
			for i := range r.items {
				it := &r.items[i]
				if i > 0 {
					r.w.SP()
				}
				r.w.Raw(it.name).SP()
				r.writeRowItem(it.kind, m)
			}
			r.end()
		}
		return r.w.Err() == nil && ctx.Err() == nil
	})
}
