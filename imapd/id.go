package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var idCommand = command{
	name:   "ID",
	order:  beside(0, 0),
	states: anyState,
	parse:  parseID,
}

const (
	maxIDFields = 30   // RFC 2971 section 3.3
	maxIDLogged = 4096 // bytes of all values
)

// id is ID (RFC 2971). What the client says goes to the log, and nowhere else.
type id struct {
	fields []any // key, value, key, value: for the log
}

func parseID(p *wire.Parser) (runner, error) {
	if err := p.SP(); err != nil {
		return nil, err
	}
	cmd := &id{}
	if p.TryKeyword("NIL") {
		return cmd, p.End()
	}
	var key *string
	logged := 0
	err := p.List(func() error {
		if key == nil {
			k, err := p.String()
			key = &k
			return err
		}
		v, _, err := p.NString()
		if err != nil {
			return err
		}
		if len(cmd.fields) >= 2*maxIDFields {
			return bad("Too many fields")
		}
		if logged += len(*key) + len(v); logged <= maxIDLogged {
			cmd.fields = append(cmd.fields, "client_"+strings.ToLower(printable(*key)), printable(v))
		}
		key = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	if key != nil {
		return nil, bad("A field without a value")
	}
	return cmd, p.End()
}

func (cmd *id) run(_ context.Context, s *session) error {
	if len(cmd.fields) > 0 {
		s.log.Debug("client", cmd.fields...)
	}
	s.w.Raw(`* ID ("name" "Rookery")` + "\r\n")
	return nil
}
