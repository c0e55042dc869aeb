package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/internal/language"
	"github.com/rookery-mail/rookery/internal/listener"
)

// session is one connection's state. Its own goroutine uses it; only what mu guards is for others.
type session struct {
	srv    *Server
	id     string
	log    *slog.Logger
	ctx    context.Context // ends with the session
	cancel context.CancelFunc

	in       *bufio.Reader // of inbound
	out      *bufio.Writer // of outbound
	deadline time.Time     // of the command line being read
	loginBy  time.Time     // when a connection must have logged in

	user     string    // from USER
	utf8     bool      // UTF8 was given
	language string    // of what is said to people: a tag of package language
	drop     *maildrop // nil in the AUTHORIZATION state
	failures int       // of logins
	mistakes int       // commands in a row that were none
	done     bool      // the connection ends behind the reply

	local bool // the client is on this machine

	mu       sync.Mutex // guards the fields below
	nc       net.Conn   // replaced by STLS
	stopping bool
	lost     bool // the lease
}

// maxMistakes is how many lines in a row may be no commands.
const maxMistakes = 10

func newSession(s *Server, c listener.Conn) *session {
	ses := &session{srv: s, id: c.ID, log: c.Log, nc: c.Net, local: c.Local, language: language.Default}
	ses.ctx, ses.cancel = context.WithCancel(s.conns.Context())
	return ses
}

// Serve implements listener.Session: it runs the session to its end.
func (s *session) Serve() {
	s.in = bufio.NewReaderSize(inbound{s}, inputBytes)
	s.out = bufio.NewWriterSize(outbound{s}, outputBytes)
	s.loginBy = time.Now().Add(time.Duration(loginBudget) * s.srv.cfg.LoginTimeout)
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("pop3 panic", "panic", v, "stack", string(debug.Stack()))
		}
		s.end()
	}()
	if tc, ok := s.nc.(*tls.Conn); ok {
		if err := s.handshake(tc); err != nil {
			s.log.Debug("pop3 TLS handshake failed", "error", err)
			return
		}
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
	_ = s.out.Flush() // nobody is left to tell
}

// end gives everything back.
func (s *session) end() {
	if s.drop != nil {
		s.drop.close()
		s.drop = nil
	}
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nc.Close()
}

// command runs a command and answers it.
func (s *session) command(line []byte) {
	cmd, args, err := s.lookup(string(line))
	if err != nil {
		s.mistake(err.Error())
		return
	}
	s.mistakes = 0
	if err := cmd.run(s.ctx, s, args); err != nil {
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
	s.out.WriteString("+OK " + text + "\r\n")
}

// err writes a negative reply.
func (s *session) err(r refusal) {
	r.text = language.Text(s.language, r.text)
	s.out.WriteString("-ERR " + r.Error() + "\r\n")
}

// line writes a line of a multi-line reply. It must not begin with a dot.
func (s *session) line(format string, args ...any) {
	fmt.Fprintf(s.out, format+"\r\n", args...)
}

// dot ends a multi-line reply.
func (s *session) dot() { s.out.WriteString(".\r\n") }

// hangUp ends a connection in the middle of a reply: no line could say that what came before is not the whole.
func (s *session) hangUp() {
	s.done = true
	s.out.Reset(io.Discard)
}
