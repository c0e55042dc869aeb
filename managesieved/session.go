package managesieved

import (
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/metadata"
)

// session is one connection's state. Its own goroutine uses it; only what mu guards is for others.
type session struct {
	srv   *Server
	log   *slog.Logger
	local bool // the client is on this machine
	*listener.Dialog

	account  *metadata.Account // nil before login
	connLog  *slog.Logger      // without the account
	failures int               // failed logins
	mistakes int               // commands in a row that were none
	done     bool              // the connection ends behind the response
}

const (
	// maxMistakes is how many commands in a row may be none.
	maxMistakes = 10
	inputBytes  = 4 << 10
	outputBytes = 8 << 10
)

func newSession(srv *Server, c listener.Conn) *session {
	t := listener.Timeouts{Login: srv.cfg.LoginTimeout, Idle: srv.cfg.IdleTimeout, Write: srv.cfg.WriteTimeout}
	return &session{srv: srv, log: c.Log, connLog: c.Log, local: c.Local, Dialog: srv.conns.NewDialog(c, t, inputBytes, outputBytes)}
}

// Serve implements listener.Session: it runs the session to its end.
func (s *session) Serve() {
	defer s.Abort()
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("managesieve panic", "panic", v, "stack", string(debug.Stack()))
			s.bye(`"Internal error"`)
			_ = s.Out.Flush() // nobody is left to tell
		}
	}()
	if err := s.Handshake(); err != nil {
		s.log.Debug("managesieve TLS handshake failed", "error", err)
		return
	}
	s.greet(s.srv.implementation() + " ready")
	for !s.done {
		c, err := s.scan()
		if err != nil {
			s.farewell(err)
			break
		}
		s.command(c)
	}
	_ = s.Out.Flush() // nobody is left to tell
}

// command runs a command and answers it.
func (s *session) command(c *scanned) {
	cmd, known := commands[c.name]
	name := "none"
	if known {
		name = cmd.name
	}
	err := c.bad
	switch {
	case err != nil:
	case !known:
		err = mistake("Unknown command")
	case s.account == nil && cmd.states&loggedOut == 0:
		err = refusal{"", "Authenticate first"}
	case s.account != nil && cmd.states&loggedIn == 0:
		err = refusal{"", "You are authenticated already"}
	default:
		if err = c.check(cmd.args); err == nil {
			err = cmd.run(s.Context(), s, c)
		}
	}
	if err == nil {
		s.mistakes = 0
		s.srv.metrics.commands.WithLabelValues(name, "ok").Inc()
		return
	}
	s.srv.metrics.commands.WithLabelValues(name, "no").Inc()
	s.fail(name, err)
}

// fail answers a command that failed. Our own trouble is logged here, in full.
func (s *session) fail(name string, err error) {
	var m mistake
	if errors.As(err, &m) {
		if s.mistakes++; s.mistakes >= maxMistakes {
			s.bye(quote("Too many invalid commands"))
			return
		}
		s.no(refusal{"", string(m)})
		return
	}
	s.mistakes = 0
	var r refusal
	if !errors.As(err, &r) {
		s.logTrouble(name, err)
		r = replyFor(err)
	}
	if s.done {
		s.bye(strings.TrimPrefix(r.response(), "NO "))
		return
	}
	s.no(r)
}

// farewell says why the session ends, where that is of any use.
func (s *session) farewell(err error) {
	switch {
	case errors.Is(err, listener.ErrStopped):
		s.bye(`(TRYLATER) "The server is shutting down"`)
	case errors.Is(err, errFlood):
		s.bye(`"The command is too long"`)
	case errors.Is(err, os.ErrDeadlineExceeded) && s.account != nil:
		s.bye(`"Autologout, idle for too long"`)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.bye(`"Waited too long for a login"`)
	default:
		s.log.Debug("managesieve connection ended", "error", err)
	}
}
