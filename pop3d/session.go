package pop3d

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/rookery-mail/rookery/internal/language"
	"github.com/rookery-mail/rookery/internal/listener"
)

// session is one connection's state. Its own goroutine uses it; only what mu guards is for others.
type session struct {
	srv *Server
	id  string
	log *slog.Logger
	*listener.Dialog

	user     string    // from USER
	utf8     bool      // UTF8 was given
	language string    // of what is said to people: a tag of package language
	drop     *maildrop // nil in the AUTHORIZATION state
	failures int       // of logins
	mistakes int       // commands in a row that were none
	done     bool      // the connection ends behind the reply

	local bool // the client is on this machine
}

// maxMistakes is how many lines in a row may be no commands.
const maxMistakes = 10

func newSession(s *Server, c listener.Conn) *session {
	t := listener.Timeouts{Login: s.cfg.LoginTimeout, Idle: s.cfg.IdleTimeout, Write: s.cfg.WriteTimeout}
	return &session{srv: s, id: c.ID, log: c.Log, local: c.Local, language: language.Default,
		Dialog: s.conns.NewDialog(c, t, inputBytes, outputBytes)}
}

// Serve implements listener.Session: it runs the session to its end.
func (s *session) Serve() {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("pop3 panic", "panic", v, "stack", string(debug.Stack()))
		}
		s.end()
	}()
	if err := s.Handshake(); err != nil {
		s.log.Debug("pop3 TLS handshake failed", "error", err)
		return
	}
	s.positive(s.srv.cfg.Hostname + " Rookery POP3 ready")
	for !s.done {
		line, err := s.readLine()
		switch {
		case errors.Is(err, errTooLong):
			s.mistake("Line too long")
		case err != nil:
			s.farewell(err)
			s.done = true
		default:
			s.command(line)
		}
	}
	_ = s.Out.Flush() // nobody is left to tell
}

// end gives everything back.
func (s *session) end() {
	if s.drop != nil {
		s.drop.close()
		s.drop = nil
	}
	s.Abort()
}

// command runs a command and answers it.
func (s *session) command(line []byte) {
	cmd, args, err := s.lookup(string(line))
	if err != nil {
		s.mistake(err.Error())
		return
	}
	s.mistakes = 0
	if err := cmd.run(s.Context(), s, args); err != nil {
		s.fail(cmd.name, err)
	}
}

// mistake answers a line that is no command, and ends a session that has nothing else to say.
func (s *session) mistake(text string) {
	s.mistakes++
	if s.mistakes >= maxMistakes {
		text = "Too many mistakes, closing the connection"
		s.done = true
	}
	s.err(refusal{"", text})
}

// fail answers a command that failed. Our own trouble is logged here, in full.
func (s *session) fail(op string, err error) {
	var r refusal
	if !errors.As(err, &r) {
		s.logTrouble(op, err)
		r = replyFor(err)
	}
	s.err(r)
}

// ok writes a positive reply with a text for people, which is a format with its arguments.
func (s *session) ok(text string, args ...any) {
	s.positive(fmt.Sprintf(language.Text(s.language, text), args...))
}

// positive writes a positive reply as it is.
func (s *session) positive(text string) {
	s.Out.WriteString("+OK " + text + "\r\n")
}

// err writes a negative reply.
func (s *session) err(r refusal) {
	r.text = language.Text(s.language, r.text)
	s.Out.WriteString("-ERR " + r.Error() + "\r\n")
}

// line writes a line of a multi-line reply. It must not begin with a dot.
func (s *session) line(format string, args ...any) {
	fmt.Fprintf(s.Out, format+"\r\n", args...)
}

// dot ends a multi-line reply.
func (s *session) dot() { s.Out.WriteString(".\r\n") }

// hangUp ends a connection in the middle of a reply: no line could say that what came before is not the whole.
func (s *session) hangUp() {
	s.done = true
	s.Out.Reset(io.Discard)
}
