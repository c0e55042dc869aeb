package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var getACLCommand = command{
	name:   "GETACL",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return getACL{name}, err
	},
}

// getACL is GETACL (RFC 4314 section 3.3). The owner is told as if it were an entry.
type getACL struct{ name string }

func (cmd getACL) run(ctx context.Context, s *session) error {
	m, entries, err := s.user.ACL(ctx, cmd.name)
	if err != nil {
		return err
	}
	s.w.Raw("* ACL ").Mailbox(m.Name)
	for _, e := range entries {
		s.w.SP().AString(e.Identifier).SP().AString(e.Rights.String())
	}
	s.w.CRLF()
	return nil
}
