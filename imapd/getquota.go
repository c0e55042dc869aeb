package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

var getQuotaCommand = command{
	name:   "GETQUOTA",
	states: loggedIn,
	parse: func(p *wire.Parser) (runner, error) {
		if err := p.SP(); err != nil {
			return nil, err
		}
		root, err := p.AString()
		if err != nil {
			return nil, err
		}
		return getQuota{root}, p.End()
	},
}

// getQuota is GETQUOTA (RFC 9208 section 4.1.1). A quota root is an account's address; "@" and a domain for that of a domain, which
// only administrators are told of. Users are told of their own.
type getQuota struct{ root string }

func (cmd getQuota) run(ctx context.Context, s *session) error {
	q, err := s.quotaRoot(ctx, cmd.root)
	if err != nil {
		return err
	}
	s.writeQuota(q)
	return nil
}

// errNoRoot answers for a quota root that is not there and for one that is not for the user to know, alike.
var errNoRoot = mailerr.New("imapd.Quota", mailerr.NotFound, "no such quota root")

// quotaRoot returns a quota root that the user may know.
func (s *session) quotaRoot(ctx context.Context, root string) (*mailstore.Quota, error) {
	if s.administrator {
		return s.user.QuotaRoot(ctx, root)
	}
	me, err := s.user.Address(ctx)
	if err != nil {
		return nil, err
	}
	if root != me {
		return nil, errNoRoot
	}
	return s.user.Quota(ctx)
}
