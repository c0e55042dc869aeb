package imapd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/internal/language"
	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// writeBuffer is the size of a response buffer, as much as one TLS record holds.
const writeBuffer = 16 << 10

// session is one connection's state.
type session struct {
	srv    *Server
	conn   *conn
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	local  bool // the client is on this machine

	mu sync.Mutex // the session's lock, see lock.go; guards the fields below

	in       io.Reader    // the connection's goroutine's: conn, or an inflater of it
	r        *wire.Reader // the connection's goroutine's
	w        *wire.Writer
	log      *slog.Logger
	firstLog *slog.Logger // without what login adds

	present
	told    uint64     // grows when the client is told of changed flags or expunged messages
	coming  bool       // the connection's goroutine waits for the lock, and will flush
	running []*running // commands, see order.go
	ended   sync.Cond  // one of them has ended, or the lock is lent no more; with mu
	lent    bool       // see lend

	userState
	idling bool // the command is IDLE, and waits for its client

	language   string    // of texts for people; see internal/language
	loginBy    time.Time // for the login as a whole
	compressed bool
	failures   int   // failed logins
	badRow     int   // invalid commands one after another
	end        error // what the session ends with after the present command
}

// userState is what a session has of its user. LOGIN and AUTHENTICATE begin it, UNAUTHENTICATE ends it: whatever a command after
// login leaves behind belongs here (RFC 8437 section 4.1).
type userState struct {
	user    *mailstore.User    // nil before login
	account metadata.AccountID // with user
	// administrator: the user may see and set the limits of others.
	administrator bool
	sel           *mailstore.Selected // nil unless a mailbox is selected
	selName       string              // by which it was selected
	// keywords are those that FLAGS has named since the mailbox was selected, in lower case.
	keywords map[string]struct{}
	rights   metadata.Rights  // on the selected mailbox, as PERMANENTFLAGS told them
	saved    metadata.UIDSet  // what "$" stands for; may hold expunged ones, see savedUIDs
	contexts []*searchContext // searches whose results are told on
	notify   *notification    // nil before the first NOTIFY
	// heldFlags is up to where the client knows all flags of the selected mailbox, if NOTIFY keeps changes from it; else 0.
	heldFlags metadata.ModSeq
	// condstore is set by the first command that shows the client knows CONDSTORE (RFC 7162 section 3.1): from then on
	// untagged FETCH responses carry MODSEQ.
	condstore  bool
	qresync    bool // enabled: VANISHED instead of EXPUNGE (RFC 7162 section 3.2.3)
	uidOnly    bool // enabled: no message sequence numbers (RFC 9586)
	rev2       bool // ENABLE IMAP4rev2
	utf8Accept bool // ENABLE UTF8=ACCEPT
	utf8       bool // ENABLE UTF8=ACCEPT or IMAP4rev2: quoted strings and mailbox names in UTF-8
	decoded    decodedPlaces
	streaming  *appendSyntax // of the command that reads its literals itself; nil when none does
}

func newSession(srv *Server, c listener.Conn) *session {
	s := &session{
		srv:      srv,
		conn:     &conn{nc: c.Net, writeTimeout: srv.cfg.WriteTimeout, streamTimeout: srv.cfg.StreamTimeout},
		log:      c.Log,
		firstLog: c.Log,
		local:    c.Local,
		language: language.Default,
	}
	s.ended.L = &s.mu
	s.in = s.conn
	s.ctx, s.cancel = context.WithCancel(srv.ctx)
	s.w = wire.NewWriter(s.conn, writeBuffer)
	var nonSync int64
	if srv.cfg.LiteralMinus {
		nonSync = 4096
	}
	s.r = wire.NewReader(source{s}, wire.ReaderOptions{
		MaxNonSync: nonSync,
		MaxCommand: srv.cfg.MaxCommandBytes,
		MaxDiscard: max(64<<20, srv.cfg.MaxMessageBytes),
		Continue:   s.askLiteral,
		BeforeRead: s.beforeRead,
		Stream:     s.streams,
	})
	return s
}

// errLogout ends a session whose client asked for it.
var errLogout = errors.New("imapd: logout")

// serve runs the session to its end. A panic ends this connection and no other.
func (s *session) serve() {
	defer s.close()
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v)
			s.farewell(errPanicked)
		}
	}()
	s.log.Debug("connection opened", "tls", s.conn.tls() != nil)
	s.loginBy = time.Now().Add(5 * s.srv.cfg.LoginTimeout)
	if tc := s.conn.tls(); tc != nil {
		if err := s.handshake(tc); err != nil {
			s.log.Debug("TLS handshake failed", "error", err)
			return
		}
	}
	s.lock()
	s.greet()
	s.mu.Unlock()
	for {
		if err := s.step(); err != nil {
			s.farewell(err)
			return
		}
	}
}

func (s *session) greet() {
	s.w.Raw("* OK [CAPABILITY ").Raw(s.capabilities()).Raw("] ").Raw(printable(s.srv.cfg.Hostname)).Raw(" Rookery ready\r\n")
}

// handshake does TLS's in bounded time.
func (s *session) handshake(tc *tls.Conn) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.srv.cfg.LoginTimeout)
	defer cancel()
	return tc.HandshakeContext(ctx)
}

// startClock sets the time the next command may take to come in.
func (s *session) startClock() {
	if s.runsBeside() {
		s.conn.setUntil(time.Time{}) // who waits for an answer is not idle
		return
	}
	now := time.Now()
	if s.user != nil {
		s.conn.setUntil(now.Add(s.srv.cfg.IdleTimeout))
		return
	}
	until := now.Add(s.srv.cfg.LoginTimeout)
	if until.After(s.loginBy) {
		until = s.loginBy
	}
	s.conn.setUntil(until)
}

// beforeRead is called before the Reader waits: the client gets everything there is.
func (s *session) beforeRead() error {
	s.conn.streaming = s.r.Literal() != nil
	return s.w.Flush()
}

// askLiteral asks for a synchronizing literal.
func (s *session) askLiteral() error {
	return s.w.Raw("+ OK\r\n").Flush()
}

// state returns the session's state of RFC 9051 section 3.
func (s *session) state() states {
	switch {
	case s.user == nil:
		return notAuthenticated
	case s.sel == nil:
		return authenticated
	default:
		return selected
	}
}

// unselect gives the selected mailbox up, if there is one.
func (s *session) unselect() {
	if s.sel != nil {
		s.notify.leaveSelected(s)
		s.heldFlags = 0
		s.sel.Close()
		s.sel, s.keywords, s.saved, s.contexts = nil, nil, nil, nil
	}
}

// close gives everything back.
func (s *session) close() {
	defer s.conn.cut()
	defer s.cancel()
	s.lock()
	defer s.mu.Unlock()
	s.stopNotify(s.notify)
	if s.user != nil {
		s.srv.leave(s.account)
	}
	s.unselect()
	s.log.Debug("connection closed")
}

func (s *session) logPanic(v any) {
	s.log.Error("panic", "value", v, "stack", string(debug.Stack()))
}

// farewell says why the session ends, where the client can still be told.
func (s *session) farewell(err error) {
	s.lock()
	defer s.mu.Unlock()
	if !errors.Is(err, errStopped) { // those that run may end before a shutdown
		s.cancel()
	}
	s.settle()
	s.stopNotify(s.notify)
	code, text := "", ""
	switch {
	case errors.Is(err, errLogout), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case errors.Is(err, errStopped):
		code, text = "UNAVAILABLE", "Server is shutting down"
	case errors.Is(err, errDeleted):
		text = "Selected mailbox was deleted"
	case errors.Is(err, errPanicked):
		code, text = "SERVERBUG", "Internal error"
	case errors.Is(err, errFailures):
		text = "Too many failed logins"
	case errors.Is(err, errTooManyBD):
		text = "Too many invalid commands"
	case errors.Is(err, errNotDeflate):
		text = "What was sent is not compressed properly"
	case errors.Is(err, wire.ErrFlood):
		text = "Command or literal too long"
	case errors.Is(err, os.ErrDeadlineExceeded) && s.w.Err() == nil && s.user == nil:
		text = "Waited too long for a login"
	case errors.Is(err, os.ErrDeadlineExceeded) && s.w.Err() == nil:
		text = "Autologout, idle for too long"
	default:
		s.log.Debug("connection failed", "error", err)
	}
	if s.w.InLiteral() {
		return // what is said now would be taken for the message
	}
	if text != "" {
		s.status("BYE", code, text)
	}
	_ = s.w.Flush() // nobody is left to be told
}
