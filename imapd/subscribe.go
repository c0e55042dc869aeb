package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var subscribeCommand = command{
	name:   "SUBSCRIBE",
	order:  beside(0, mailboxes),
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return subscribe{name}, err
	},
}

// subscribe is SUBSCRIBE (RFC 3501 section 6.3.6).
type subscribe struct{ name string }

func (cmd subscribe) run(ctx context.Context, s *session) error {
	if err := s.user.Subscribe(ctx, cmd.name); err != nil {
		return err
	}
	s.namesChanged(ctx, ownChange{names: []string{cmd.name}})
	return nil
}
