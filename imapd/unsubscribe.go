package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var unsubscribeCommand = command{
	name:   "UNSUBSCRIBE",
	order:  beside(0, mailboxes),
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return unsubscribe{name}, err
	},
}

// unsubscribe is UNSUBSCRIBE (RFC 3501 section 6.3.7).
type unsubscribe struct{ name string }

func (cmd unsubscribe) run(ctx context.Context, s *session) error {
	if err := s.user.Unsubscribe(ctx, cmd.name); err != nil {
		return err
	}
	s.namesChanged(ctx, ownChange{names: []string{cmd.name}})
	return nil
}
