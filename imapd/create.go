package imapd

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
)

var createCommand = command{
	name:   "CREATE",
	order:  beside(0, mailboxes),
	states: loggedIn,
	parse:  parseCreate,
}

// create is CREATE (RFC 3501 section 6.3.3), with the USE parameter of RFC 6154 section 3.
type create struct {
	name string
	use  string // special-use attribute, "" for none
}

// specialUses are the attributes of RFC 6154 that a mailbox can have here. \All and \Flagged are views of other mailboxes'
// messages, which are not offered.
var specialUses = []string{`\Archive`, `\Drafts`, `\Junk`, `\Sent`, `\Trash`}

var errUse = no("USEATTR", "No such special use")

func parseCreate(p *wire.Parser) (runner, error) {
	cmd := &create{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.name, err = p.Mailbox(); err != nil {
		return nil, err
	}
	if p.EOF() {
		return cmd, nil
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	err = p.List(func() error {
		if !p.TryKeyword("USE") {
			return bad("Unknown CREATE parameter")
		}
		if err := p.SP(); err != nil {
			return err
		}
		return p.List(func() error {
			flag, err := p.Flag()
			if err != nil {
				return err
			}
			if cmd.use != "" {
				return errUse // a mailbox has one use here
			}
			i := slices.IndexFunc(specialUses, func(use string) bool { return strings.EqualFold(use, string(flag)) })
			if i < 0 {
				return errUse
			}
			cmd.use = specialUses[i]
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return cmd, p.End()
}

func (cmd *create) run(ctx context.Context, s *session) error {
	m, err := s.user.Create(ctx, cmd.name, cmd.use)
	if err != nil {
		return err
	}
	if asked := strings.TrimSuffix(cmd.name, string(mailstore.Delimiter)); s.rev2 && asked != m.Name {
		s.tellOldName(ctx, m.ID, m.Name, asked)
	}
	s.namesChanged(ctx, ownChange{names: []string{m.Name}})
	return &statusError{typ: "OK", code: mailboxIDCode(m.ID), text: "CREATE completed"} // RFC 8474 section 4.1
}
