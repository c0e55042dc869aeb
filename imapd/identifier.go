package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// maxIdentifier bounds what is looked at of an identifier, in bytes.
const maxIdentifier = 1024

// grantee returns whom an identifier of an ACL means: "anyone", or an address in any spelling; without "@" it is of the user's
// own domain. "-" before it makes the entry negative (RFC 4314 section 2). What is neither is a BAD, as section 3 wants.
func grantee(ctx context.Context, s *session, identifier string) (mailstore.Grantee, error) {
	var g mailstore.Grantee
	name, denies := strings.CutPrefix(identifier, "-")
	g.Denies = denies
	if strings.EqualFold(name, mailstore.Anyone) {
		g.Address = mailstore.Anyone
		return g, nil
	}
	if len(name) > maxIdentifier {
		return g, bad("The identifier is too long")
	}
	if name != "" && !strings.Contains(name, "@") {
		me, err := s.user.Address(ctx)
		if err != nil {
			return g, err
		}
		name += metadata.EverybodyIn(me)
	}
	address, err := s.srv.cfg.Directory.Canonical(ctx, name)
	if mailerr.Is(err, mailerr.Invalid) {
		return g, bad("The identifier is no address")
	}
	g.Address = address
	return g, err
}

// parseACL reads a mailbox name and n strings behind it.
func parseACL(p *wire.Parser, n int) (mailbox string, args []string, err error) {
	if err := p.SP(); err != nil {
		return "", nil, err
	}
	if mailbox, err = p.Mailbox(); err != nil {
		return "", nil, err
	}
	for range n {
		if err := p.SP(); err != nil {
			return "", nil, err
		}
		arg, err := p.AString()
		if err != nil {
			return "", nil, err
		}
		args = append(args, arg)
	}
	return mailbox, args, p.End()
}
