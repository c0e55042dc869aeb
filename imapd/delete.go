package imapd

import (
	"context"

	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var deleteCommand = command{
	name:   "DELETE",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return deleteMailbox{name}, err
	},
}

// deleteMailbox is DELETE (RFC 3501 section 6.3.4).
type deleteMailbox struct{ name string }

// run unselects the mailbox if it is this session's own: a client that deletes what it has selected means to go on.
func (cmd deleteMailbox) run(ctx context.Context, s *session) error {
	own := false
	if s.sel != nil {
		m, err := s.user.MyRights(ctx, cmd.name)
		if err != nil {
			return err
		}
		own = m.ID == s.sel.Mailbox().ID
	}
	if err := s.user.Delete(ctx, cmd.name); err != nil {
		return err
	}
	if s.rev2 && !norm.NFC.IsNormalString(cmd.name) { // RFC 9051 section 6.3.5
		s.w.Raw(`* LIST (\NonExistent) "/" `).Mailbox(norm.NFC.String(cmd.name)).Raw(` ("OLDNAME" (`).Mailbox(cmd.name).Raw("))\r\n")
	}
	if own {
		s.unselect()
		s.status("OK", "CLOSED", "Selected mailbox deleted")
	}
	s.namesChanged(ctx, ownChange{names: []string{cmd.name}})
	return nil
}
