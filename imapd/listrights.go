package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var listRightsCommand = command{
	name:   "LISTRIGHTS",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, args, err := parseACL(p, 1)
		if err != nil {
			return nil, err
		}
		return listRights{name: name, identifier: args[0]}, nil
	},
}

// listRights is LISTRIGHTS (RFC 4314 section 3.4). No rights are tied together.
type listRights struct{ name, identifier string }

func (cmd listRights) run(ctx context.Context, s *session) error {
	g, err := grantee(ctx, s, cmd.identifier)
	if err != nil {
		return err
	}
	m, always, optional, err := s.user.GrantableRights(ctx, cmd.name, g)
	if err != nil {
		return err
	}
	s.w.Raw("* LISTRIGHTS ").Mailbox(m.Name).SP().AString(cmd.identifier).SP().AString(always.String())
	for _, letter := range optional.String() {
		s.w.SP().Raw(string(letter))
	}
	s.w.CRLF()
	return nil
}
