package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

var myRightsCommand = command{
	name:   "MYRIGHTS",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return myRights{name}, err
	},
}

// myRights is MYRIGHTS (RFC 4314 section 3.5).
type myRights struct{ name string }

func (cmd myRights) run(ctx context.Context, s *session) error {
	m, err := s.user.MyRights(ctx, cmd.name)
	if err != nil {
		return err
	}
	s.writeMyRights(m.Name, m.Rights)
	return nil
}

// writeMyRights writes the MYRIGHTS response.
func (s *session) writeMyRights(name string, rights metadata.Rights) {
	s.w.Raw("* MYRIGHTS ").Mailbox(name).SP().AString(rights.String()).CRLF()
}
