package managesieved

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

// authenticate is AUTHENTICATE (RFC 5804 section 2.1) with the one mechanism PLAIN (RFC 4616).
func authenticate(ctx context.Context, s *session, c *scanned) error {
	if !strings.EqualFold(c.args[0].value, "PLAIN") {
		return refusal{"", "Unknown mechanism"}
	}
	if err := s.mayLogin(); err != nil {
		return err
	}
	var encoded string
	if len(c.args) == 2 {
		encoded = c.args[1].value
	} else {
		var err error
		if encoded, err = s.saslResponse(); err != nil {
			return err
		}
	}
	response, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return refusal{"", "That is not base64"}
	}
	authzid, rest, ok1 := bytes.Cut(response, []byte{0})
	authcid, password, ok2 := bytes.Cut(rest, []byte{0})
	if !ok1 || !ok2 || len(authcid) == 0 || bytes.IndexByte(password, 0) >= 0 {
		return refusal{"", "That is no PLAIN response"}
	}
	if len(authzid) > 0 && !bytes.Equal(authzid, authcid) {
		return s.loginFailed() // nobody may act for somebody else
	}
	return s.login(ctx, string(authcid), string(password))
}

// saslResponse asks for the client's one response: a string on a line of its own.
func (s *session) saslResponse() (string, error) {
	s.Out.WriteString(quote("") + "\r\n")
	c := &scanned{name: "AUTHENTICATE"}
	var a argument
	var bad error
	err := s.Await(false)
	if err == nil {
		a, bad, err = s.argument(c.name)
	}
	if err == nil && bad == nil {
		var line string
		if line, err = s.In.ReadString('\n'); err == nil && strings.TrimSpace(line) != "" {
			return "", mistake("One string is expected")
		}
	}
	if err == nil && bad != nil {
		err = s.skip()
	}
	switch {
	case err != nil:
		s.farewell(err)
		s.done = true
		return "", refusal{"", "No response"}
	case bad != nil:
		return "", bad
	case a.kind != text:
		return "", mistake("A string is expected")
	case a.value == "*":
		return "", refusal{"", "Cancelled"}
	}
	return a.value, nil
}

// mayLogin refuses a password in clear from another machine.
func (s *session) mayLogin() error {
	switch {
	case s.srv.cfg.AllowPlaintext || s.local || s.Encrypted():
		return nil
	case s.srv.cfg.TLS != nil:
		return refusal{"ENCRYPT-NEEDED", "Passwords are taken over an encrypted connection only: use STARTTLS first"}
	}
	return refusal{"ENCRYPT-NEEDED", "Passwords are taken over an encrypted connection only"}
}

func (s *session) login(ctx context.Context, login, password string) error {
	ctx, cancel := s.stored(ctx)
	defer cancel()
	account, err := s.srv.cfg.Directory.Authenticate(ctx, login, password)
	switch {
	case mailerr.Is(err, mailerr.Permission):
		return s.loginFailed()
	case err != nil:
		s.srv.metrics.logins.WithLabelValues("error").Inc()
		return err
	}
	s.srv.metrics.logins.WithLabelValues("ok").Inc()
	s.account, s.log = account, s.connLog.With("account", account.Address)
	s.log.Info("managesieve login")
	s.ok("", "Welcome")
	return nil
}

// loginFailed makes guessing slow.
func (s *session) loginFailed() error {
	s.srv.metrics.logins.WithLabelValues("failed").Inc()
	s.log.Info("managesieve login failed")
	s.failures++
	s.Pause(s.srv.cfg.FailureDelay)
	if s.failures >= s.srv.cfg.MaxFailures {
		s.done = true // fail says BYE
		return refusal{"", "Too many failed logins"}
	}
	return refusal{"", "Wrong name or password"}
}

// unauthenticate is UNAUTHENTICATE (RFC 5804 section 2.14.1).
func unauthenticate(_ context.Context, s *session, _ *scanned) error {
	s.log.Info("managesieve logout")
	s.account, s.log = nil, s.connLog
	s.AwaitLogin()
	s.ok("", "Logged out")
	return nil
}
