package pop3d

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
)

// mayLogin refuses a password in clear from another machine, before it is sent where the client asks first.
func (s *session) mayLogin() error {
	if s.plaintextAllowed() {
		return nil
	}
	if s.srv.cfg.TLS != nil {
		return refusal{"AUTH", "Passwords are taken over an encrypted connection only: use STLS first"}
	}
	return refusal{"AUTH", "Passwords are taken over an encrypted connection only"}
}

func (s *session) plaintextAllowed() bool {
	return s.srv.cfg.AllowPlaintext || s.Encrypted() || s.local
}

// login ends the AUTHORIZATION state: credentials, lease, maildrop.
func (s *session) login(ctx context.Context, login, password string) error {
	ctx, cancel := context.WithTimeout(ctx, s.srv.cfg.StoreTimeout)
	defer cancel()
	account, err := s.authenticate(ctx, login, password)
	switch {
	case mailerr.Is(err, mailerr.Permission):
		return s.loginFailed()
	case err != nil:
		s.srv.metrics.logins.WithLabelValues("error").Inc()
		return err
	}
	log := s.log.With("account", account.Address)
	admitted, err := s.admit(ctx, account.ID)
	switch {
	case mailerr.Is(err, mailerr.InUse):
		s.srv.metrics.logins.WithLabelValues("too_soon").Inc()
		log.Info("pop3 login too soon")
		return refusal{"LOGIN-DELAY", "Too soon after the last login"}
	case err != nil:
		s.srv.metrics.logins.WithLabelValues("error").Inc()
		return err
	}
	drop, err := s.open(ctx, account.ID)
	if err != nil {
		admitted.undo()
	}
	switch {
	case mailerr.Is(err, mailerr.InUse):
		s.srv.metrics.logins.WithLabelValues("in_use").Inc()
		log.Info("pop3 maildrop in use")
		return refusal{"IN-USE", "Another session has this maildrop"}
	case err != nil:
		s.srv.metrics.logins.WithLabelValues("error").Inc()
		return err
	}
	s.srv.metrics.logins.WithLabelValues("ok").Inc()
	s.log, s.drop = log, drop
	s.log.Info("pop3 login", "messages", drop.count, "bytes", drop.octets)
	s.ok("%d messages (%d octets)", drop.count, drop.octets)
	return nil
}

// loginFailed makes guessing slow.
func (s *session) loginFailed() error {
	s.srv.metrics.logins.WithLabelValues("failed").Inc()
	s.log.Info("pop3 login failed")
	s.failures++
	s.Pause(s.srv.cfg.FailureDelay)
	if s.failures >= s.srv.cfg.MaxFailures {
		s.done = true
		return refusal{"AUTH", "Too many failed logins, closing the connection"}
	}
	return refusal{"AUTH", "Wrong name or password"}
}
