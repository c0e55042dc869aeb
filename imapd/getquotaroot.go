package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var getQuotaRootCommand = command{
	name:   "GETQUOTAROOT",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		name, err := oneMailbox(p)
		return getQuotaRoot{name}, err
	},
}

// getQuotaRoot is GETQUOTAROOT (RFC 9208 section 4.1.2). A mailbox counts toward the quota of its owner, whose address is the one
// root it has.
type getQuotaRoot struct{ name string }

func (cmd getQuotaRoot) run(ctx context.Context, s *session) error {
	q, err := s.user.QuotaOf(ctx, cmd.name)
	if err != nil {
		return err
	}
	s.w.Raw("* QUOTAROOT ").Mailbox(cmd.name).SP().AString(q.Root).CRLF()
	s.writeQuota(q)
	return nil
}
