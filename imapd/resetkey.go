package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var resetKeyCommand = command{
	name:   "RESETKEY",
	states: loggedIn,
	parse:  parseResetKey,
}

// resetKey is RESETKEY (RFC 4467 section 7): all URLs that the user vouched for, in a mailbox or in all, are worth nothing from
// now on.
type resetKey struct{ mailbox string } // "": all

func parseResetKey(p *wire.Parser) (runner, error) {
	cmd := &resetKey{}
	if p.EOF() {
		return cmd, nil
	}
	var err error
	if cmd.mailbox, err = oneMailboxArgument(p); err != nil {
		return nil, err
	}
	for !p.EOF() {
		if err := p.SP(); err != nil {
			return nil, err
		}
		mechanism, err := p.Atom()
		if err != nil {
			return nil, err
		}
		if mechanism != urlMechanism {
			return nil, no("CANNOT", "The only mechanism is "+urlMechanism)
		}
	}
	return cmd, nil
}

func (cmd *resetKey) run(ctx context.Context, s *session) error {
	if err := s.away(func() error { return s.user.ResetURLKeys(ctx, cmd.mailbox) }); err != nil {
		return err
	}
	return &statusError{typ: "OK", code: "URLMECH " + urlMechanism, text: "RESETKEY completed"}
}
