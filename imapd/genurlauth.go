package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/imapurl"
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

var genURLAuthCommand = command{
	name:   "GENURLAUTH",
	states: loggedIn,
	parse:  parseGenURLAuth,
}

const (
	// urlMechanism is the one authorization mechanism there is.
	urlMechanism = "INTERNAL"
	// maxURLs bounds the URLs of one command.
	maxURLs = 100
)

// genURLAuth is GENURLAUTH (RFC 4467 section 7).
type genURLAuth struct{ urls []mechanismURL }

type mechanismURL struct{ url, mechanism string }

func parseGenURLAuth(p *wire.Parser) (runner, error) {
	cmd := &genURLAuth{}
	for !p.EOF() || len(cmd.urls) == 0 {
		if err := p.SP(); err != nil {
			return nil, err
		}
		url, err := p.AString()
		if err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
		mechanism, err := p.Atom()
		if err != nil {
			return nil, err
		}
		if len(cmd.urls) == maxURLs {
			return nil, bad("Too many URLs")
		}
		cmd.urls = append(cmd.urls, mechanismURL{url, mechanism})
	}
	return cmd, nil
}

func (cmd *genURLAuth) run(ctx context.Context, s *session) error {
	full := make([]string, len(cmd.urls))
	err := s.away(func() error {
		for i, u := range cmd.urls {
			token, err := s.vouch(ctx, u)
			if err != nil {
				return err
			}
			full[i] = u.url + ":" + urlMechanism + ":" + token
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.w.Raw("* GENURLAUTH")
	for _, url := range full {
		s.w.SP().String(url)
	}
	s.w.CRLF()
	return nil
}

// vouch makes the token for a URL of the user's own. What is wrong with the URL is BAD (RFC 4467 section 7).
func (s *session) vouch(ctx context.Context, u mechanismURL) (string, error) {
	url, err := imapurl.Parse(u.url)
	switch {
	case err != nil, url.Access.Kind == imapurl.NoAccess, url.Mechanism != "", !url.Absolute():
		return "", bad("Not an absolute URL of a message that ends with ;URLAUTH= and an access identifier")
	case u.mechanism != urlMechanism:
		return "", no("CANNOT", "The only mechanism is "+urlMechanism)
	}
	owner, err := s.srv.accountOf(ctx, url.User)
	if err != nil && !mailerr.Is(err, mailerr.NotFound) {
		return "", err
	}
	if err != nil || owner != s.account {
		return "", bad("The URL must name the user who is logged in")
	}
	token, err := s.user.URLToken(ctx, url.Mailbox, u.url)
	if err != nil {
		if mailerr.Is(err, mailerr.NotFound) || mailerr.Is(err, mailerr.Invalid) {
			err = bad("No such mailbox")
		}
		return "", err
	}
	return token, nil
}

// accountOf returns the account that has a name for its own. NotFound, Unavailable.
func (srv *Server) accountOf(ctx context.Context, name string) (metadata.AccountID, error) {
	const op = "imapd.accountOf"
	targets, err := srv.cfg.Directory.Resolve(ctx, name)
	if mailerr.Is(err, mailerr.Invalid) {
		err = mailerr.New(op, mailerr.NotFound, "")
	}
	if err != nil {
		return metadata.AccountID{}, err
	}
	// Neither what an alias leads to nor who gets mail for an unknown name.
	if len(targets) != 1 || !strings.EqualFold(targets[0].Address, targets[0].Account.Address) {
		return metadata.AccountID{}, mailerr.New(op, mailerr.NotFound, "")
	}
	return targets[0].Account.ID, nil
}
