package imapd

import (
	"context"
	"slices"
	"time"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
)

var loginCommand = command{
	name:   "LOGIN",
	states: notAuthenticated,
	parse:  parseLogin,
	waits:  true,
}

// login is LOGIN (RFC 3501 section 6.2.3).
type login struct{ name, password string }

func parseLogin(p *wire.Parser) (runner, error) {
	cmd := &login{}
	for _, arg := range []*string{&cmd.name, &cmd.password} {
		if err := p.SP(); err != nil {
			return nil, err
		}
		var err error
		if *arg, err = p.AString(); err != nil {
			return nil, err
		}
	}
	return cmd, p.End()
}

func (cmd *login) run(ctx context.Context, s *session) error {
	if !s.mayLogin() {
		return errPrivacy
	}
	return s.login(ctx, cmd.name, cmd.password)
}

var errPrivacy = no("PRIVACYREQUIRED", "Passwords are taken over TLS only")

// mayLogin reports whether a password may be sent: over TLS, from this machine, or from anywhere if the configuration says so.
func (s *session) mayLogin() bool {
	return s.local || s.srv.cfg.AllowPlaintext || s.conn.tls() != nil
}

// login checks a name and password, and authenticates the session.
func (s *session) login(ctx context.Context, name, password string) error {
	account, err := s.srv.cfg.Directory.Authenticate(ctx, name, password)
	if mailerr.Is(err, mailerr.Permission) {
		s.srv.metrics.logins.WithLabelValues("failed").Inc()
		s.log.Info("login failed", "login", printable(name))
		return s.loginFailed(ctx)
	}
	if err == nil && !s.srv.enter(account.ID) {
		s.srv.metrics.logins.WithLabelValues("failed").Inc()
		return no("LIMIT", "Too many connections of this account")
	}
	if err != nil {
		s.srv.metrics.logins.WithLabelValues("error").Inc()
		return err
	}
	s.srv.metrics.logins.WithLabelValues("ok").Inc()
	s.account = account.ID
	s.user = s.srv.cfg.Store.User(account.ID)
	s.administrator = slices.Contains(s.srv.cfg.Administrators, account.Address)
	s.log = s.log.With("account", account.Address)
	s.log.Info("login", "tls", s.conn.tls() != nil)
	return &statusError{typ: "OK", code: s.capabilityCode(), text: "Logged in"}
}

// loginFailed makes guessing slow.
func (s *session) loginFailed(ctx context.Context) error {
	s.failures++
	if s.failures >= s.srv.cfg.MaxFailures {
		s.end = errFailures
	}
	delay := time.NewTimer(s.srv.cfg.FailureDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
	case <-s.srv.stopped:
	}
	return no("AUTHENTICATIONFAILED", "Wrong name or password")
}
