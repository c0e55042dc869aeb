package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var searchCommand = command{
	name:   "SEARCH",
	own:    true,
	states: selected,
	seqs:   true,
	parse:  func(p *wire.Parser) (runner, error) { return parseSearch(p, false) },
}

var uidSearchCommand = command{
	name:   "UID SEARCH",
	own:    true,
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return parseSearch(p, true) },
}

// search is SEARCH and UID SEARCH (RFC 3501 section 6.4.4) with RETURN of RFC 4731, MODSEQ of RFC 7162 and the keys of RFC
// 5032.
type search struct {
	name       string // of the untagged response
	uid        bool
	ret        searchReturn
	badCharset bool
	charset    bool // CHARSET was given
	notUTF8    bool // and is neither UTF-8 nor US-ASCII
	program    *searchProgram
	criteria   []sortCriterion // of SORT
	multi      bool            // ESEARCH: responses name the mailbox
}

// searchReturn is what RETURN asks for (RFC 4731 section 3.1); nothing at all without RETURN.
type searchReturn struct {
	min, max, all, count bool
	save                 bool         // RFC 5182
	partial              partialRange // RFC 9394; zero: not asked for
	update, context      bool         // RFC 5267
	fetch                *fetch       // with update: of new messages (RFC 5465 section 7); nil for nothing
}

func (r searchReturn) extended() bool { return r != searchReturn{} }

// silent: nothing is to be returned.
func (r searchReturn) silent() bool { return r == searchReturn{save: true} }

func parseSearch(p *wire.Parser, uid bool) (runner, error) {
	c := &search{name: "SEARCH", uid: uid}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.TryKeyword("RETURN") {
		if err := c.parseReturn(p); err != nil {
			return nil, err
		}
	}
	charset := p.TryKeyword("CHARSET")
	if charset {
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	return c, c.parseKeys(p, charset)
}

// parseKeys reads the search keys, and before them, if there is one, the charset.
func (c *search) parseKeys(p *wire.Parser, charset bool) (err error) {
	decode := decodeNeedle
	if charset {
		c.charset = true
		name, err := p.AString()
		if err != nil {
			return err
		}
		if err := p.SP(); err != nil {
			return err
		}
		c.notUTF8 = !strings.EqualFold(name, "UTF-8") && !strings.EqualFold(name, "US-ASCII")
		if d := needleDecoder(name); d != nil {
			decode = d
		} else {
			c.badCharset = true
		}
	}
	c.program, err = parseSearchProgram(p, decode)
	return err
}

func (c *search) parseReturn(p *wire.Parser) error {
	if err := p.SP(); err != nil {
		return err
	}
	err := p.List(func() error {
		switch {
		case p.TryKeyword("MIN"):
			c.ret.min = true
		case p.TryKeyword("MAX"):
			c.ret.max = true
		case p.TryKeyword("ALL"):
			c.ret.all = true
		case p.TryKeyword("COUNT"):
			c.ret.count = true
		case p.TryKeyword("SAVE"):
			c.ret.save = true
		case p.TryKeyword("UPDATE"):
			c.ret.update = true
			return c.parseUpdate(p)
		case p.TryKeyword("CONTEXT"): // a hint, which is not taken
			c.ret.context = true
		case p.TryKeyword("PARTIAL"):
			if c.ret.partial != (partialRange{}) {
				return &wire.SyntaxError{Text: "More than one PARTIAL"}
			}
			var err error
			c.ret.partial, err = parsePartial(p)
			return err
		default:
			return &wire.SyntaxError{Text: "Unknown RETURN option"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.ret.all && c.ret.partial != (partialRange{}) { // RFC 9394 section 3.1
		return &wire.SyntaxError{Text: "ALL and PARTIAL exclude each other"}
	}
	if !c.ret.extended() { // RFC 4731 section 3.1: an empty list is (ALL)
		c.ret.all = true
	}
	return p.SP()
}

// parseUpdate reads what may follow UPDATE: what is to be fetched of new messages (RFC 5465 section 8).
func (c *search) parseUpdate(p *wire.Parser) error {
	if p.Peek() != ' ' {
		return nil
	}
	before := *p
	if err := p.SP(); err != nil {
		return err
	}
	if p.Peek() != '(' {
		*p = before
		return nil
	}
	f := &fetch{}
	if err := f.parseItems(p); err != nil {
		return err
	}
	f.plan()
	c.ret.fetch = f
	return nil
}

func (c *search) run(ctx context.Context, s *session) error {
	if c.charset && s.utf8Accept && c.name == "SEARCH" { // RFC 6855 section 3; SORT and THREAD must have one
		return bad("No CHARSET after ENABLE UTF8=ACCEPT: it is UTF-8")
	}
	if s.rev2 && c.name == "SEARCH" && !c.ret.extended() { // RFC 9051 section 6.4.4
		c.ret.all = true
	}
	err := c.search(ctx, s)
	if c.ret.save && err != nil {
		if st, _ := statusOf(err); st.typ != "OK" {
			s.saved = nil // RFC 5182 section 2.1
		}
	}
	return err
}

func (c *search) search(ctx context.Context, s *session) error {
	if c.ret.update && s.findContext(s.tag) != nil {
		return bad("Tag reuse") // RFC 5267 section 4.3
	}
	if err := s.tooWide(c.ret.partial); err != nil {
		return err
	}
	from := s.snapshot()
	r, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if c.criteria != nil {
		if err := r.sort(c.criteria); err != nil {
			return err
		}
	}
	if s.told != from.told {
		r.renew()
	}
	if c.ret.save {
		if err := s.save(c.ret.saves(r.hits)); err != nil {
			return err
		}
	}
	c.respond(s, r)
	if c.ret.update {
		s.keepContext(c, r, from)
	}
	return r.cut.completion(s, r.goneError())
}

// errBadCharset names the charsets that every server has: a client that asked for another will take one of those.
var errBadCharset = no("BADCHARSET (UTF-8 US-ASCII)", "Unknown charset")

// errFilterCharset: filters are in UTF-8, and what is searched for with them is too (RFC 5466 section 3.1).
var errFilterCharset = &statusError{typ: "BAD", code: "BADCHARSET (UTF-8 US-ASCII)", text: "FILTER needs UTF-8"}

// prepare makes the keys ready to be bound.
func (c *search) prepare(ctx context.Context, s *session) error {
	if len(c.program.filters) > 0 && c.notUTF8 {
		return errFilterCharset
	}
	if c.badCharset {
		return errBadCharset
	}
	return c.program.resolveFilters(ctx, s)
}

// find searches the selected mailbox.
func (c *search) find(ctx context.Context, s *session) (*searchRun, error) {
	if err := c.prepare(ctx, s); err != nil {
		return nil, err
	}
	if c.program.numbers && s.uidOnly { // RFC 9586 section 3.5
		return nil, errUIDRequired
	}
	if c.program.modseq {
		s.enableCondstore()
	}
	c.program.bind(searchScope{sel: s.sel, saved: s.savedUIDs(), now: s.srv.cfg.Now()})
	r := s.newSearchRun(ctx, s.sel, c.program)
	r.first = c.ret == searchReturn{min: true, save: c.ret.save} && c.criteria == nil
	r.most, r.whole = s.srv.cfg.MaxMessagesPerCommand, c.name != "SEARCH"
	return r, r.run()
}
