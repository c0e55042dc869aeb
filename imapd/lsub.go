package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var lsubCommand = command{
	name:   "LSUB",
	order:  beside(mailboxes, 0),
	states: loggedIn,
	parse:  parseLSub,
}

// lsub is LSUB (RFC 3501 section 6.3.9).
type lsub struct {
	pattern *pattern
	percent bool
	root    bool
}

func parseLSub(p *wire.Parser) (runner, error) {
	if err := p.SP(); err != nil {
		return nil, err
	}
	reference, err := p.ListMailbox()
	if err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	text, err := p.ListMailbox()
	if err != nil {
		return nil, err
	}
	return &lsub{
		pattern: compilePattern(reference + text),
		percent: strings.Contains(reference+text, "%"),
		root:    text == "",
	}, p.End()
}

// run lists the names subscribed to, whether they are mailboxes or not. Where "%" stops a name from matching, the names above
// it that match are told as \Noselect: "a special situation" of the RFC, which tells the client that there is more below.
func (cmd *lsub) run(ctx context.Context, s *session) error {
	if cmd.root {
		s.w.Raw(`* LSUB (\Noselect) "/" ""` + "\r\n")
		return nil
	}
	infos, err := s.user.List(ctx)
	if err != nil {
		return err
	}
	subscribed := make(map[string]bool)
	for i := range infos {
		if infos[i].Subscribed {
			subscribed[infos[i].Name] = true
		}
	}
	told := make(map[string]bool)
	for i := range infos {
		name := infos[i].Name
		if !infos[i].Subscribed {
			continue
		}
		if cmd.pattern.match(name) {
			s.w.Raw(`* LSUB () "/" `).Mailbox(name).CRLF()
			continue
		}
		if !cmd.percent {
			continue
		}
		for above := range parents(name) {
			if !subscribed[above] && !told[above] && cmd.pattern.match(above) {
				told[above] = true
				s.w.Raw(`* LSUB (\Noselect) "/" `).Mailbox(above).CRLF()
			}
		}
	}
	return nil
}
