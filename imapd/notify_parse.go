package imapd

import (
	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// eventNames are the events there are.
var eventNames = map[string]events{
	"MESSAGENEW":            messageNew,
	"MESSAGEEXPUNGE":        messageExpunge,
	"FLAGCHANGE":            flagChange,
	"MAILBOXNAME":           mailboxName,
	"SUBSCRIPTIONCHANGE":    subscriptionChange,
	"MAILBOXMETADATACHANGE": mailboxMetadataChange,
	"SERVERMETADATACHANGE":  serverMetadataChange,
}

func parseNotify(p *wire.Parser) (runner, error) {
	cmd := &setNotify{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.TryKeyword("NONE") {
		return cmd, p.End()
	}
	if !p.TryKeyword("SET") {
		return nil, &wire.SyntaxError{Text: "Expected SET or NONE"}
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.TryKeyword("STATUS") {
		cmd.status = true
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	cmd.set = true
	selected, names := false, 0
	for {
		g, err := cmd.parseGroup(p)
		if err != nil {
			return nil, err
		}
		if names += 1 + len(g.names); names > maxSources {
			return nil, &wire.SyntaxError{Code: "LIMIT", Text: "Too many mailboxes"}
		}
		if g.kind == "SELECTED" || g.kind == "SELECTED-DELAYED" {
			if selected {
				return nil, &wire.SyntaxError{Text: "The selected mailbox comes twice"}
			}
			selected = true
		} else if g.events != 0 {
			cmd.groups = append(cmd.groups, g)
		}
		if p.EOF() {
			return cmd, nil
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
}

// parseGroup reads an event-group.
func (cmd *setNotify) parseGroup(p *wire.Parser) (g eventGroup, err error) {
	if err := p.Expect('('); err != nil {
		return g, err
	}
	if g.kind, err = p.Keyword(); err != nil {
		return g, err
	}
	selected := false
	switch g.kind {
	case "SELECTED", "SELECTED-DELAYED":
		selected = true
	case "INBOXES", "PERSONAL", "SUBSCRIBED":
	case "SUBTREE", "MAILBOXES":
		names, err := parseMailboxes(p)
		if err != nil {
			return g, err
		}
		g.names = make(map[string]struct{}, len(names))
		for _, name := range names {
			g.names[name] = struct{}{}
		}
	default:
		return g, &wire.SyntaxError{Text: "Unknown mailboxes to be watched"}
	}
	if err := p.SP(); err != nil {
		return g, err
	}
	f := &fetch{}
	if err := cmd.parseEvents(p, &g, f, selected); err != nil {
		return g, err
	}
	if err := p.Expect(')'); err != nil {
		return g, err
	}
	if m := g.events & messageEvents; m != 0 && m&(messageNew|messageExpunge) != messageNew|messageExpunge {
		return g, &wire.SyntaxError{Text: "MessageNew and MessageExpunge belong together, and FlagChange needs them"}
	}
	if selected && g.events != 0 {
		cmd.selected = &selectedEvents{delayed: g.kind == "SELECTED-DELAYED", flags: g.events&flagChange != 0}
		if len(f.items) > 0 {
			f.plan()
			cmd.selected.fetch = f
		}
	}
	return g, nil
}

// parseEvents reads the events of a group: NONE, or a list. The first example of RFC 5465 section 3.1 has no parentheses around it.
func (cmd *setNotify) parseEvents(p *wire.Parser, g *eventGroup, f *fetch, selected bool) error {
	one := func() error {
		name, err := p.Keyword()
		if err != nil {
			return err
		}
		e, known := eventNames[name]
		if !known {
			cmd.unknown = true // BADEVENT, if the rest of the command is right
			if name == "ANNOTATIONCHANGE" {
				e = annotationChange
			}
		}
		if selected && e&messageEvents == 0 && known {
			return &wire.SyntaxError{Text: "Only messages' events are of the selected mailbox"}
		}
		g.events |= e
		if e != messageNew || p.Peek() != ' ' {
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
		if !selected {
			return &wire.SyntaxError{Text: "Only of the selected mailbox messages can be fetched"}
		}
		return f.parseItems(p)
	}
	if p.Peek() == '(' {
		if err := p.List(one); err != nil {
			return err
		}
		if g.events == 0 && !cmd.unknown {
			return &wire.SyntaxError{Text: "No events"}
		}
		return nil
	}
	if p.TryKeyword("NONE") {
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		if p.Peek() == ')' {
			return nil
		}
		if err := p.SP(); err != nil {
			return err
		}
	}
}
