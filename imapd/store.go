package imapd

import (
	"context"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var storeCommand = command{
	name:   "STORE",
	order:  beside(messages|searchResult, flags|mailboxes),
	states: selected,
	seqs:   true,
	parse:  func(p *wire.Parser) (runner, error) { return parseStore(p, false) },
}

var uidStoreCommand = command{
	name:   "UID STORE",
	order:  beside(messages|searchResult, flags|mailboxes),
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return parseStore(p, true) },
}

const (
	// maxKeywordLength is the longest keyword a client may store, in bytes.
	maxKeywordLength = 100
	// maxMailboxKeywords is how many different keywords a mailbox may have.
	maxMailboxKeywords = 500
)

// store is STORE and UID STORE (RFC 3501 section 6.4.6), with UNCHANGEDSINCE of RFC 7162.
type store struct {
	set    messageSet
	silent bool
	req    mailstore.StoreFlagsRequest // without UIDs
}

func parseStore(p *wire.Parser, uid bool) (runner, error) {
	st := &store{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if st.set, err = parseMessageSet(p, uid); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.Peek() == '(' {
		if err := st.parseModifiers(p); err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	if err := st.parseItem(p); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	flags, err := parseStoreFlags(p)
	if err != nil {
		return nil, err
	}
	if st.req.Flags, st.req.Keywords, err = storedFlags(flags); err != nil {
		return nil, err
	}
	for _, k := range st.req.Keywords {
		if len(k) > maxKeywordLength {
			return nil, &wire.SyntaxError{Code: "LIMIT", Text: "Keyword too long"}
		}
	}
	return st, p.End()
}

// parseModifiers reads the modifiers of RFC 4466 section 2.5.
func (st *store) parseModifiers(p *wire.Parser) error {
	return p.List(func() error {
		if !p.TryKeyword("UNCHANGEDSINCE") {
			return &wire.SyntaxError{Text: "Unknown STORE modifier"}
		}
		if err := p.SP(); err != nil {
			return err
		}
		n, err := p.Number64()
		since := metadata.ModSeq(n)
		st.req.UnchangedSince = &since
		return err
	})
}

func (st *store) parseItem(p *wire.Parser) error {
	name, err := p.Keyword()
	if err != nil {
		return err
	}
	name, st.silent = strings.CutSuffix(name, ".SILENT")
	switch name {
	case "FLAGS":
		st.req.Op = metadata.FlagsReplace
	case "+FLAGS":
		st.req.Op = metadata.FlagsAdd
	case "-FLAGS":
		st.req.Op = metadata.FlagsRemove
	default:
		return &wire.SyntaxError{Text: "Unknown STORE item"}
	}
	return nil
}

// parseStoreFlags reads a list of flags, or flags without parentheses.
func parseStoreFlags(p *wire.Parser) ([]imap.Flag, error) {
	if p.Peek() == '(' {
		return p.FlagList()
	}
	var flags []imap.Flag
	for {
		f, err := p.Flag()
		if err != nil {
			return nil, err
		}
		flags = append(flags, f)
		if p.EOF() {
			return flags, nil
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
}

func (st *store) run(ctx context.Context, s *session) error {
	uids, err := st.set.resolve(s)
	if err != nil {
		return err
	}
	if st.req.UnchangedSince != nil {
		s.enableCondstore()
	}
	if s.sel.Mode() == mailstore.ReadOnly {
		return errReadOnly
	}
	if len(uids) == 0 {
		return nil
	}
	if st.req.Op != metadata.FlagsRemove && newKeywords(s.sel.Keywords(), st.req.Keywords) > maxMailboxKeywords {
		return no("LIMIT", "Too many keywords in this mailbox")
	}
	req := st.req
	var cut cutShort
	req.UIDs, cut = s.highest(uids)
	before, err := s.flagsBefore(ctx, req.UIDs)
	if err != nil {
		return err
	}
	var res *metadata.StoreResult
	err = s.lend(func() (err error) {
		res, err = s.sel.StoreFlags(ctx, req)
		return err
	})
	if err != nil {
		return err
	}
	s.flagged(before, res.Changed)
	st.respond(s, res)
	if len(res.Modified) > 0 {
		if err := st.respondModified(ctx, s, res.Modified); err != nil {
			return err
		}
	}
	return cut.completion(s, st.completion(s, res))
}

// errReadOnly refuses a change in a mailbox opened by EXAMINE.
var errReadOnly = no("READ-ONLY", "The mailbox is selected read-only")

// newKeywords returns how many keywords there are when more join those in use.
func newKeywords(have, more []string) int {
	if len(more) == 0 {
		return 0
	}
	all := make(map[string]bool, len(have)+len(more))
	for _, k := range have {
		all[strings.ToLower(k)] = true
	}
	used := len(all)
	for _, k := range more {
		all[strings.ToLower(k)] = true
	}
	if len(all) == used {
		return 0 // nothing new: always allowed
	}
	return len(all)
}

// respond writes the untagged FETCH responses, ascending.
func (st *store) respond(s *session, res *metadata.StoreResult) {
	changed, same := res.Changed, res.Same
	s.told++
	for len(changed) > 0 || len(same) > 0 {
		var m *metadata.Message
		wasChanged := len(same) == 0 || len(changed) > 0 && changed[0].UID < same[0].UID
		if wasChanged {
			m, changed = &changed[0], changed[1:]
		} else {
			m, same = &same[0], same[1:]
		}
		// RFC 7162 section 3.1.3: with UNCHANGEDSINCE even a silent STORE is answered; section 3.1.4.2: a new MODSEQ is told to
		// all clients that know CONDSTORE.
		if st.silent && st.req.UnchangedSince == nil && !(s.condstore && wasChanged) {
			continue
		}
		seq := s.sel.Seq(m.UID)
		if seq == 0 {
			continue
		}
		st.writeFetch(s, seq, m, !st.silent)
	}
}

// respondModified tells the client what became of messages that failed UNCHANGEDSINCE, as RFC 7162 section 3.1.3 recommends:
// then it need not ask. A change that has not reached this node yet comes with a later sync.
func (st *store) respondModified(ctx context.Context, s *session, modified metadata.UIDSet) error {
	return s.sel.Messages(ctx, modified, func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone && m.ModSeq > *st.req.UnchangedSince {
			st.writeFetch(s, seq, m, true)
		}
		return s.w.Err() == nil
	})
}

func (st *store) writeFetch(s *session, seq mailstore.SeqNum, m *metadata.Message, flags bool) {
	if flags {
		s.nameKeywords(m.Keywords)
	}
	w := s.w
	s.beginFetch(seq, m.UID)
	sep := ""
	if (st.set.uid || s.condstore) && !s.uidOnly { // RFC 7162 section 3.2.4: UID beside MODSEQ
		w.Raw("UID ").Number(uint64(m.UID))
		sep = " "
	}
	if flags {
		w.Raw(sep).Raw("FLAGS ")
		writeFlags(w, m, s.showsRecent() && s.sel.IsRecent(m.UID))
		sep = " "
	}
	if s.condstore {
		w.Raw(sep).Raw("MODSEQ (").Number(uint64(m.ModSeq)).Raw(")")
	}
	w.Raw(")\r\n")
}

// completion returns the tagged response.
func (st *store) completion(s *session, res *metadata.StoreResult) error {
	var gone error
	if len(res.Missing) > 0 {
		gone = st.set.goneError()
	}
	if len(res.Modified) == 0 {
		return gone
	}
	var modified setWriter
	for uid := range res.Modified.All {
		if st.set.uid {
			modified.add(uint32(uid))
		} else if seq := s.sel.Seq(uid); seq != 0 {
			modified.add(uint32(seq))
		}
	}
	code := "MODIFIED " + modified.String()
	if gone != nil && !st.set.uid { // RFC 7162 section 3.1.3, example 11
		return no(code, "Some of the messages no longer exist")
	}
	return &statusError{typ: "OK", code: code, text: "Some messages were changed by others"}
}
