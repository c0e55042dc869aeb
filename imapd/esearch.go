package imapd

import (
	"context"
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var esearchCommand = command{
	name:   "ESEARCH",
	own:    true,
	states: loggedIn,
	parse:  parseESearch,
}

// An example of RFC 7377 section 2 has it, its grammar has not.
var uidESearchCommand = command{
	name:   "UID ESEARCH",
	own:    true,
	states: loggedIn,
	parse:  parseESearch,
}

// esearch is ESEARCH (RFC 7377): a UID SEARCH in any mailboxes.
type esearch struct {
	search
	sources []mailboxSource // none: the selected mailbox
}

// maxSources bounds the names in the source options of one ESEARCH.
const maxSources = 1000

// mailboxSource is one of the filter-mailboxes of RFC 5465 section 6, or "subtree-one".
type mailboxSource struct {
	kind  string // "SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED", "SUBTREE", "SUBTREE-ONE", "MAILBOXES"
	names []string
}

func parseESearch(p *wire.Parser) (runner, error) {
	c := &esearch{search: search{name: "SEARCH", uid: true, multi: true}}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.TryKeyword("IN") {
		if err := c.parseSources(p); err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	if p.TryKeyword("RETURN") {
		if err := c.parseReturn(p); err != nil {
			return nil, err
		}
	}
	if !c.ret.extended() { // RFC 7377 section 2.1: never a SEARCH response
		c.ret.all = true
	}
	if c.ret.save && !c.onlySelected() {
		return nil, &wire.SyntaxError{Text: "SAVE is for the selected mailbox only"}
	}
	charset := p.TryKeyword("CHARSET")
	if charset {
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	return c, c.parseKeys(p, charset)
}

// parseSources reads the space and the list behind IN.
func (c *esearch) parseSources(p *wire.Parser) error {
	if err := p.SP(); err != nil {
		return err
	}
	names := 0
	err := p.List(func() error {
		if p.Peek() == '(' && len(c.sources) > 0 {
			return &wire.SyntaxError{Text: "Unknown scope option"} // there are none (RFC 7377 section 4)
		}
		kind, err := p.Keyword()
		if err != nil {
			return err
		}
		source := mailboxSource{kind: kind}
		switch kind {
		case "SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED":
		case "SUBTREE", "SUBTREE-ONE", "MAILBOXES":
			if source.names, err = parseMailboxes(p); err != nil {
				return err
			}
		default:
			return &wire.SyntaxError{Text: "Unknown source option"}
		}
		if names += 1 + len(source.names); names > maxSources {
			return &wire.SyntaxError{Code: "LIMIT", Text: "Too many mailboxes"}
		}
		c.sources = append(c.sources, source)
		return nil
	})
	if err == nil && len(c.sources) == 0 {
		err = &wire.SyntaxError{Text: "No source options"}
	}
	return err
}

// parseMailboxes reads a space and the one-or-more-mailbox of RFC 5465.
func parseMailboxes(p *wire.Parser) (names []string, err error) {
	if err := p.SP(); err != nil {
		return nil, err
	}
	one := func() error {
		name, err := p.Mailbox()
		names = append(names, name)
		return err
	}
	if p.Peek() != '(' {
		return names, one()
	}
	if err = p.List(one); err == nil && len(names) == 0 {
		err = &wire.SyntaxError{Text: "No mailboxes"}
	}
	return names, err
}

// onlySelected reports whether nothing but the selected mailbox is searched.
func (c *esearch) onlySelected() bool {
	for _, source := range c.sources {
		if source.kind != "SELECTED" {
			return false
		}
	}
	return true
}

func (c *esearch) order() order {
	o := c.search.order()
	o.reads |= mailboxes
	return o
}

func (c *esearch) run(ctx context.Context, s *session) error {
	selected := len(c.sources) == 0
	for _, source := range c.sources {
		selected = selected || source.kind == "SELECTED"
	}
	if selected && s.sel == nil {
		return bad("No mailbox selected")
	}
	if c.onlySelected() {
		return c.search.run(ctx, s)
	}
	if c.ret.update && !selected { // RFC 7377 section 2.2
		return bad("UPDATE is for the selected mailbox only")
	}
	if err := c.prepare(ctx, s); err != nil {
		return err
	}
	if c.program.numbers && s.uidOnly { // RFC 9586 section 3.5
		return errUIDRequired
	}
	infos, err := s.user.List(ctx)
	if err != nil {
		return err
	}
	if c.program.modseq {
		s.enableCondstore()
	}
	done := make(map[metadata.MailboxID]bool)
	if selected {
		done[s.sel.Mailbox().ID] = true
	}
	for i := range infos {
		if info := &infos[i]; !info.NonExistent && c.includes(info, s.account) {
			if err := c.searchOther(ctx, s, info.Name, done); err != nil {
				return err
			}
		}
	}
	// What is named may be readable without being listed (RFC 7377 section 2.2, the rights "r" and "l").
	for _, source := range c.sources {
		for _, name := range source.names {
			if !slices.ContainsFunc(infos, func(info mailstore.MailboxInfo) bool { return info.Name == name && !info.NonExistent }) {
				if err := c.searchOther(ctx, s, name, done); err != nil {
					return err
				}
			}
		}
	}
	if selected { // last: the keys are bound to it then, for a context
		return c.search.search(ctx, s)
	}
	return nil
}

// includes reports whether a mailbox is among the sources.
func (c *esearch) includes(info *mailstore.MailboxInfo, account metadata.AccountID) bool {
	for _, source := range c.sources {
		switch source.kind {
		case "PERSONAL", "INBOXES":
			// Mail may be delivered into any mailbox: then INBOXES are all of the personal ones (RFC 5465 section 6.3).
			if info.Account == account {
				return true
			}
		case "SUBSCRIBED":
			if info.Subscribed {
				return true
			}
		}
		for _, name := range source.names {
			if info.Name == name {
				return true
			}
			if source.kind != "MAILBOXES" && isBelow(info.Name, name, source.kind == "SUBTREE-ONE") {
				return true
			}
		}
	}
	return false
}

// isBelow reports whether a mailbox is below another; with oneLevel, directly.
func isBelow(name, parent string, oneLevel bool) bool {
	if len(name) <= len(parent)+1 || name[:len(parent)] != parent || name[len(parent)] != mailstore.Delimiter {
		return false
	}
	if oneLevel {
		for i := len(parent) + 1; i < len(name); i++ {
			if name[i] == mailstore.Delimiter {
				return false
			}
		}
	}
	return true
}

// searchOther searches a mailbox that is not selected, unless it was done. One that the user may not read, or that is not there, is
// passed over.
func (c *esearch) searchOther(ctx context.Context, s *session, name string, done map[metadata.MailboxID]bool) error {
	var sel *mailstore.Selected
	user := s.user
	err := s.away(func() (err error) {
		sel, err = user.Open(ctx, name, mailstore.ReadOnly)
		return err
	})
	switch mailerr.KindOf(err) {
	case mailerr.NotFound, mailerr.Permission, mailerr.Invalid:
		return nil
	}
	if err != nil {
		return err
	}
	defer sel.Close()
	if done[sel.Mailbox().ID] {
		return nil
	}
	done[sel.Mailbox().ID] = true
	return c.searchIn(ctx, s, sel)
}

// searchIn searches a mailbox that is not selected and writes a response if something is found.
func (c *esearch) searchIn(ctx context.Context, s *session, sel *mailstore.Selected) error {
	c.program.bind(searchScope{sel: sel, now: s.srv.cfg.Now()})
	r := s.newSearchRun(ctx, sel, c.program)
	if err := r.run(); err != nil {
		return err
	}
	c.respond(s, r)
	return nil
}
