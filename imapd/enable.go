package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var enableCommand = command{
	name: "ENABLE",
	// RFC 5161 says authenticated only; real clients do not wait, and RFC 7162 section 3.1 says what follows in the selected state.
	states: loggedIn,
	parse:  parseEnable,
}

// enable is ENABLE (RFC 5161).
type enable struct{ names []string }

func parseEnable(p *wire.Parser) (runner, error) {
	cmd := &enable{}
	for !p.EOF() || len(cmd.names) == 0 {
		if err := p.SP(); err != nil {
			return nil, err
		}
		name, err := p.Atom()
		if err != nil {
			return nil, err
		}
		cmd.names = append(cmd.names, name)
	}
	return cmd, nil
}

func (cmd *enable) run(_ context.Context, s *session) error {
	condstore := false
	for _, name := range cmd.names {
		condstore = condstore || name == "CONDSTORE" // what else there is need not be enabled, or is not known
	}
	s.w.Raw("* ENABLED")
	if condstore {
		s.w.Raw(" CONDSTORE")
	}
	s.w.CRLF()
	if condstore {
		s.enableCondstore()
	}
	return nil
}
