package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var renameCommand = command{
	name:   "RENAME",
	order:  beside(0, mailboxes),
	states: loggedIn,
	parse:  parseRename,
}

// rename is RENAME (RFC 3501 section 6.3.5).
type rename struct{ from, to string }

func parseRename(p *wire.Parser) (runner, error) {
	cmd := rename{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.from, err = p.Mailbox(); err != nil {
		return nil, err
	}
	cmd.to, err = oneMailbox(p)
	return cmd, err
}

func (cmd rename) run(ctx context.Context, s *session) error {
	var before *mailstore.MailboxRights
	if s.rev2 && cmd.from != "INBOX" { // RFC 9051 section 6.3.6: no LIST response for INBOX
		before, _ = s.user.MyRights(ctx, cmd.from) // nil for a name above mailboxes, which can be renamed too
	}
	if err := s.user.Rename(ctx, cmd.from, cmd.to); err != nil {
		return err
	}
	if before != nil {
		s.tellRenamed(ctx, cmd, before.ID)
	}
	if cmd.from == "INBOX" && s.sel != nil && s.selName == cmd.from {
		s.stale = true // its messages have moved
	}
	s.namesChanged(ctx, ownChange{names: []string{cmd.from, cmd.to}, below: true})
	return nil
}

// tellRenamed writes a LIST response with OLDNAME (RFC 9051 section 6.3.9.7).
func (s *session) tellRenamed(ctx context.Context, cmd rename, id metadata.MailboxID) {
	after, err := s.user.MyRights(ctx, strings.TrimSuffix(cmd.to, string(mailstore.Delimiter)))
	switch {
	case err != nil:
		s.log.Warn("mailbox's name not told", "error", err)
	case after.ID == id: // not renamed again, by others
		s.tellOldName(ctx, id, after.Name, cmd.from)
	}
}
