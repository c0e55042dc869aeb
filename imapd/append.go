package imapd

import (
	"context"
	"fmt"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var appendCommand = command{
	name:   "APPEND",
	order:  beside(0, mailboxes),
	states: loggedIn,
	waits:  true,
	parse:  parseAppend,
	streams: func(p *wire.Parser) bool {
		_, err := oneMailboxArgument(p)
		return err == nil && appendSyntax{}.wantsLiteral(p)
	},
}

// appendAsk is the size from which a message that the client would send only when asked is not asked for before it is known that
// the mailbox is there and has room.
const appendAsk = 64 << 10

// appendMessages is APPEND (RFC 3501 section 6.3.11) of one message or of several (RFC 3502), whose bytes are a literal, or what
// CATENATE puts together (RFC 4469), with APPENDUID (RFC 4315). Messages are read from the connection as they are stored.
type appendMessages struct {
	name string
	rest *wire.Parser // behind the mailbox
}

// oneMailboxArgument reads a space and a mailbox name, and not the end.
func oneMailboxArgument(p *wire.Parser) (string, error) {
	if err := p.SP(); err != nil {
		return "", err
	}
	return p.Mailbox()
}

func parseAppend(p *wire.Parser) (runner, error) {
	name, err := oneMailboxArgument(p)
	return &appendMessages{name: name, rest: p}, err
}

func (cmd *appendMessages) run(ctx context.Context, s *session) error {
	a := newAppending(ctx, s, cmd.name, appendSyntax{}, cmd.rest)
	defer a.end()
	first, err := a.message()
	if err != nil {
		return err
	}
	more, err := a.more()
	if err != nil {
		first.staged.Discard()
		return err
	}
	if more {
		return cmd.several(ctx, s, a, first)
	}
	data, err := s.user.Append(ctx, cmd.name, first.staged, first.options)
	if err != nil {
		return tryCreate(err)
	}
	s.tellSpelling(ctx, cmd.name)
	s.appendEvent(data.Account, data.Mailbox, data.UID)
	return appended(s, data.Hidden, data.UIDValidity, data.UID, data.UID)
}

// several is run for more than one message: all or none exist in the end.
func (cmd *appendMessages) several(ctx context.Context, s *session, a *appending, first *appendItem) error {
	batch, err := s.user.NewBatch(ctx, cmd.name)
	if err != nil {
		first.staged.Discard()
		return tryCreate(err)
	}
	if err := a.collect(batch, first, s.mostSaved()); err != nil {
		batch.Discard()
		return err
	}
	data, err := batch.Commit(ctx)
	if err != nil {
		return tryCreate(err)
	}
	s.tellSpelling(ctx, cmd.name)
	s.appendEvent(data.Account, data.Mailbox, data.UIDs...)
	return appended(s, data.Hidden, data.UIDValidity, data.UIDs[0], data.UIDs[len(data.UIDs)-1])
}

// collect puts a message that was read and all that follow into a batch: most of them, where that is not 0.
func (a *appending) collect(batch *mailstore.Batch, it *appendItem, most int) error {
	for n := 1; ; n++ {
		if err := batch.Add(a.ctx, it.staged, it.options); err != nil {
			return err
		}
		more, err := a.more()
		if err != nil || !more {
			return err
		}
		if n == most {
			return tooMany(most, 0)
		}
		if it, err = a.message(); err != nil {
			return err
		}
	}
}

// appended is the completion of an APPEND: without APPENDUID for a mailbox that the user may not read (RFC 4315 section 3).
func appended(s *session, hidden bool, validity metadata.UIDValidity, first, last metadata.UID) error {
	s.changed(validity, metadata.UIDSet{{First: first, Last: last}})
	st := &statusError{typ: "OK", text: "APPEND completed"}
	if !hidden {
		st.code = appendUID(validity, first, last)
	}
	return st
}

func appendUID(validity metadata.UIDValidity, first, last metadata.UID) string {
	if first == last {
		return fmt.Sprintf("APPENDUID %d %d", validity, first)
	}
	return fmt.Sprintf("APPENDUID %d %d:%d", validity, first, last)
}

// appendItem is a message that was read and does not exist yet.
type appendItem struct {
	staged  *mailstore.Staged
	options mailstore.AppendOptions
}

// appending reads the messages of an APPEND or REPLACE from the connection.
type appending struct {
	ctx    context.Context
	s      *session
	name   string // of the mailbox they go to
	syntax appendSyntax
	p      *wire.Parser // the piece of the command that was read last
	size   int64        // of the messages so far
	// replaces: a message goes when this one comes, so whether there is room is for the transaction to find out.
	replaces bool
	used     bool // the literal p ends with was read: what follows it must be read
}

func newAppending(ctx context.Context, s *session, name string, syntax appendSyntax, p *wire.Parser) *appending {
	a := &appending{ctx: ctx, s: s, name: name, syntax: syntax, p: p}
	s.streaming = &a.syntax
	return a
}

// end says that no more is expected.
func (a *appending) end() { a.s.streaming = nil }

// next reads an event.
func (a *appending) next() (appendEvent, error) {
	if a.used {
		a.used = false
		a.s.startClock()
		rest, err := a.s.r.More()
		if err != nil {
			return appendEvent{}, err
		}
		a.p = a.s.newParser(rest)
	}
	return a.syntax.next(a.p)
}

// more reports whether another message follows.
func (a *appending) more() (bool, error) {
	if a.syntax.single || a.p.EOF() {
		_, err := a.next()
		return false, err
	}
	return true, nil
}

// message reads one message.
func (a *appending) message() (*appendItem, error) {
	begin, err := a.next()
	if err != nil {
		return nil, err
	}
	system, keywords, err := storedFlags(begin.flags)
	if err != nil {
		return nil, err
	}
	date := begin.date
	if date.IsZero() {
		date = a.s.srv.cfg.Now()
	}
	it, err := (&appendReader{appending: a, limit: a.s.srv.cfg.MaxMessageBytes}).read()
	if err != nil {
		return nil, err
	}
	it.options = mailstore.AppendOptions{Flags: system, Keywords: keywords, InternalDate: date}
	return it, nil
}

// room finds out early what would become of a large message.
func (a *appending) room(size int64) error {
	if a.replaces {
		return nil
	}
	return tryCreate(a.s.away(func() error { return a.s.user.Room(a.ctx, a.name, size) }))
}

// tryCreate adds TRYCREATE to the error of a command whose destination does not exist (RFC 3501 section 7.1).
func tryCreate(err error) error {
	if mailerr.Is(err, mailerr.NotFound) {
		return no("TRYCREATE", "No such mailbox")
	}
	return err
}
