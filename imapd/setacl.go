package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

var setACLCommand = command{
	name:   "SETACL",
	states: loggedIn,
	parse:  parseSetACL,
}

// setACL is SETACL (RFC 4314 section 3.1).
type setACL struct {
	name, identifier string
	op               metadata.RightsOp
	rights           metadata.Rights
}

func parseSetACL(p *wire.Parser) (runner, error) {
	name, args, err := parseACL(p, 2)
	if err != nil {
		return nil, err
	}
	cmd := setACL{name: name, identifier: args[0]}
	letters := args[1]
	if letters != "" && (letters[0] == '+' || letters[0] == '-') {
		cmd.op = metadata.RightsAdd
		if letters[0] == '-' {
			cmd.op = metadata.RightsRemove
		}
		letters = letters[1:]
	}
	if cmd.rights, err = metadata.ParseRights(letters); err != nil {
		return nil, bad("No such right")
	}
	return cmd, nil
}

func (cmd setACL) run(ctx context.Context, s *session) error {
	g, err := grantee(ctx, s, cmd.identifier)
	if err != nil {
		return err
	}
	return s.user.SetACL(ctx, cmd.name, g, cmd.op, cmd.rights)
}
