package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var renameCommand = command{
	name:   "RENAME",
	order:  beside(0, mailboxes),
	states: loggedIn,
	parse:  parseRename,
}

// rename is RENAME (RFC 3501 section 6.3.5).
type rename struct{ from, to string }

func parseRename(p *wire.Parser) (runner, error) {
	cmd := rename{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.from, err = p.Mailbox(); err != nil {
		return nil, err
	}
	cmd.to, err = oneMailbox(p)
	return cmd, err
}

func (cmd rename) run(ctx context.Context, s *session) error {
	if err := s.user.Rename(ctx, cmd.from, cmd.to); err != nil {
		return err
	}
	s.namesChanged(ctx, ownChange{names: []string{cmd.from, cmd.to}, below: true})
	return nil
}
