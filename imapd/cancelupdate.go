package imapd

import (
	"context"
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var cancelUpdateCommand = command{
	name:   "CANCELUPDATE",
	states: selected,
	parse:  parseCancelUpdate,
}

// cancelUpdate is CANCELUPDATE (RFC 5267 section 4.3.5). A tag of no context is passed over: the server may have given it up.
type cancelUpdate struct{ tags []string }

func parseCancelUpdate(p *wire.Parser) (runner, error) {
	c := &cancelUpdate{}
	for {
		if err := p.SP(); err != nil {
			return nil, err
		}
		tag, err := p.String()
		if err != nil {
			return nil, err
		}
		c.tags = append(c.tags, tag)
		if p.EOF() {
			return c, nil
		}
	}
}

func (c *cancelUpdate) run(_ context.Context, s *session) error {
	s.contexts = slices.DeleteFunc(s.contexts, func(x *searchContext) bool { return slices.Contains(c.tags, x.tag) })
	return nil
}
