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

// enabled is what enabling an extension does.
var enabled = map[string]func(*session){
	"CONDSTORE":   (*session).enableCondstore,
	"IMAP4REV2":   (*session).enableRev2,
	"UTF8=ACCEPT": (*session).enableUTF8Accept,
	"QRESYNC":     (*session).enableQresync,
	"UIDONLY":     (*session).enableUIDOnly,
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
	s.w.Raw("* ENABLED")
	said := make(map[string]bool)
	for _, name := range cmd.names {
		if enabled[name] != nil && !said[name] { // what else there is need not be enabled, or is not known
			said[name] = true
			if name == "IMAP4REV2" {
				name = "IMAP4rev2"
			}
			s.w.SP().Raw(name)
		}
	}
	s.w.CRLF()
	for name := range said {
		enabled[name](s)
	}
	return nil
}
