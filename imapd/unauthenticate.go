package imapd

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/rookery-mail/rookery/internal/language"
)

var unauthenticateCommand = command{
	name:   "UNAUTHENTICATE",
	states: loggedIn,
	sync:   syncNone,
	parse:  noArguments(unauthenticate{}),
}

// unauthenticate is UNAUTHENTICATE (RFC 8437): the connection is as it was before login, but for TLS and for the count of failed
// logins. It ends COMPRESS.
type unauthenticate struct{}

func (unauthenticate) run(_ context.Context, s *session) error {
	s.stopNotify(s.notify)
	s.unselect()
	s.srv.leave(s.account)
	s.log.Info("unauthenticated")
	s.userState = userState{}
	s.language = language.Default
	s.log = s.firstLog
	s.loginBy = time.Now().Add(5 * s.srv.cfg.LoginTimeout)
	s.w.UTF8(false)
	if in, ok := s.in.(*inflater); ok {
		// The client's stream ended with the command's line; its next command, which may be here already, is not compressed.
		s.after = func() error {
			s.compressed = false
			s.w.Redirect(s.conn)
			rest, err := in.finish()
			s.r.DropBuffered()
			s.in = io.MultiReader(bytes.NewReader(rest), s.conn)
			return err
		}
	}
	return nil
}
