package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var xlistCommand = command{
	name:   "XLIST",
	order:  beside(mailboxes, 0),
	states: loggedIn,
	parse:  parseXList,
}

// xlist is XLIST, what Gmail had before RFC 6154 and old clients still try: LIST with special uses under the names it gave them.
// It is not announced.
type xlist struct{ *list }

// xlistUses are Gmail's words where they are others. \Archive stays: it is not \AllMail.
var xlistUses = map[string]string{`\Junk`: `\Spam`}

func parseXList(p *wire.Parser) (runner, error) {
	run, err := parseList(p)
	if err != nil {
		return nil, err
	}
	cmd, ok := run.(*list)
	if !ok || cmd.extended || len(cmd.patterns) > 1 {
		return nil, bad("XLIST takes a reference and a pattern")
	}
	return xlist{cmd}, nil
}

func (cmd xlist) run(ctx context.Context, s *session) error {
	if cmd.root {
		s.w.Raw(`* XLIST (\Noselect) "/" ""` + "\r\n")
		return nil
	}
	infos, err := s.user.List(ctx)
	if err != nil {
		return err
	}
	for i := range infos {
		info := &infos[i]
		if !cmd.selects(info) || !matchAny(cmd.patterns, info.Name) {
			continue
		}
		s.w.Raw("* XLIST (")
		if info.NonExistent {
			s.w.Raw(`\Noselect `)
		}
		if info.HasChildren {
			s.w.Raw(`\HasChildren`)
		} else {
			s.w.Raw(`\HasNoChildren`)
		}
		use := info.SpecialUse
		if info.Name == "INBOX" {
			use = `\Inbox`
		}
		if old, ok := xlistUses[use]; ok {
			use = old
		}
		if use != "" {
			s.w.SP().Raw(use)
		}
		s.w.Raw(`) "/" `).Mailbox(info.Name).CRLF()
	}
	return nil
}
