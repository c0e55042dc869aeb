package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

var deleteACLCommand = command{
	name:   "DELETEACL",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, args, err := parseACL(p, 1)
		if err != nil {
			return nil, err
		}
		return deleteACL{name: name, identifier: args[0]}, nil
	},
}

// deleteACL is DELETEACL (RFC 4314 section 3.2).
type deleteACL struct{ name, identifier string }

func (cmd deleteACL) run(ctx context.Context, s *session) error {
	g, err := grantee(ctx, s, cmd.identifier)
	if err != nil {
		return err
	}
	return s.user.SetACL(ctx, cmd.name, g, metadata.RightsReplace, 0)
}
