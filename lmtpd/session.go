package lmtpd

import (
	"io"
	"unicode/utf8"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/mailerr"
)

// session is what go-smtp calls for a connection's commands. Every error it returns is an *smtp.SMTPError: go-smtp answers any
// other one with a permanent failure and its text.
type session struct {
	srv  *Server
	conn *conn
	smtp *smtp.Conn

	inMail bool
	from   string // "" is the null return path
	utf8   bool   // SMTPUTF8 was asked for
	rcpts  []recipient
	known  map[string]directory.Resolution // of this transaction, by path
}

// recipient is an accepted RCPT.
type recipient struct {
	key     string // the path as go-smtp knows it
	path    string // as the client meant it
	targets []directory.Target
}

var _ smtp.LMTPSession = (*session)(nil)

func (s *Server) newSession(sc *smtp.Conn) (smtp.Session, error) {
	c, ok := sc.Conn().(*conn)
	if !ok { // handoff gives nothing else
		return nil, refuse(421, 4, 3, 0, "Internal error")
	}
	c.session = &session{srv: s, conn: c, smtp: sc}
	return c.session, nil
}

// Reset ends the transaction.
func (s *session) Reset() {
	s.inMail, s.from, s.utf8, s.rcpts, s.known = false, "", false, nil, nil
	s.conn.forwarded = nil
}

// Logout does nothing: there is nothing to free.
func (s *session) Logout() error { return nil }

// Mail begins a transaction.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	if s.inMail {
		return refuse(503, 5, 5, 1, "Nested MAIL")
	}
	from = unqualify(from)
	if !isPath(from) {
		return refuse(501, 5, 1, 7, "Not a return path")
	}
	s.inMail, s.from, s.utf8 = true, from, opts != nil && opts.UTF8
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	r := recipient{key: to, path: unqualify(to)}
	var refused *smtp.SMTPError
	if r.targets, refused = s.resolve(r.path); refused != nil {
		s.srv.metrics.rejected.WithLabelValues(class(refused.Code)).Inc()
		return refused
	}
	s.rcpts = append(s.rcpts, r)
	return nil
}

func (s *session) resolve(path string) ([]directory.Target, *smtp.SMTPError) {
	if !isPath(path) {
		return nil, refuse(501, 5, 1, 3, "Not an address")
	}
	targets, err := s.targets(path)
	if err == nil && len(targets) == 0 {
		err = mailerr.New("lmtpd.Rcpt", mailerr.NotFound, "")
	}
	if err != nil {
		logTrouble(s.conn.log, "lmtp recipient", err)
		return nil, s.srv.replyFor(err, atRecipient)
	}
	for _, t := range targets {
		if t.Account.Disabled {
			// Also for one of several: nobody gets the message twice, and the sender hears of it in the end.
			return nil, refuse(450, 4, 2, 1, "Mailbox disabled")
		}
	}
	return targets, nil
}

// isPath reports whether a path can stand in a header: valid UTF-8 in a bounded line, a domain without specials.
func isPath(path string) bool {
	if len(path) > 800 || !utf8.ValidString(path) || hasControl([]byte(path)) {
		return false
	}
	for i := len(path) - 1; i >= 0 && path[i] != '@'; i-- {
		switch path[i] {
		case '(', ')', '<', '>', ',', ';', '\\':
			return false
		}
	}
	return true
}

// Data is not called: go-smtp prefers LMTPData.
func (s *session) Data(io.Reader) error { return refuse(451, 4, 3, 0, "Internal error") }

// LMTPData receives a message and answers for every recipient. r is go-smtp's empty message; it is read to its end before
// the first answer, because go-smtp's own goroutine goes on with the connection then.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	replies := s.receive(s.conn.body)
	if _, err := io.Copy(io.Discard, r); err != nil {
		return refuse(421, 4, 3, 0, "Internal error")
	}
	for i, rcpt := range s.rcpts {
		s.srv.metrics.recipients.WithLabelValues(class(replies[i].Code)).Inc()
		status.SetStatus(rcpt.key, replies[i])
	}
	return nil
}
