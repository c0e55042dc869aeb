package imapd

import (
	"context"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

var appendCommand = command{
	name:    "APPEND",
	order:   beside(0, mailboxes),
	states:  loggedIn,
	waits:   true,
	parse:   parseAppend,
	streams: func(p *wire.Parser) bool { return parseAppendHead(p, &appendMessage{}) == nil && p.EOF() },
}

// appendAsk is the size from which a message that the client would send only when asked is not asked for before it is known that
// the mailbox is there and has room.
const appendAsk = 64 << 10

// appendMessage is APPEND (RFC 3501 section 6.3.11), with APPENDUID (RFC 4315). The message is not part of the command as it was
// parsed: it is read from the connection as it is stored.
type appendMessage struct {
	name  string
	flags []imap.Flag
	date  time.Time // zero: now
}

// parseAppendHead reads everything before the message.
func parseAppendHead(p *wire.Parser, cmd *appendMessage) (err error) {
	if err := p.SP(); err != nil {
		return err
	}
	if cmd.name, err = p.Mailbox(); err != nil {
		return err
	}
	if err := p.SP(); err != nil {
		return err
	}
	if p.Peek() == '(' {
		if cmd.flags, err = p.FlagList(); err != nil {
			return err
		}
		if err := p.SP(); err != nil {
			return err
		}
	}
	if p.Peek() == '"' {
		if cmd.date, err = p.DateTime(); err != nil {
			return err
		}
		return p.SP()
	}
	return nil
}

func parseAppend(p *wire.Parser) (runner, error) {
	cmd := &appendMessage{}
	if err := parseAppendHead(p, cmd); err != nil {
		return nil, err
	}
	if _, binary, err := p.LiteralHeader(); err != nil {
		return nil, bad("Expected a literal")
	} else if binary {
		return nil, bad("literal8 needs BINARY, which is not offered")
	}
	return cmd, p.End()
}

func (cmd *appendMessage) run(ctx context.Context, s *session) error {
	lit := s.r.Literal()
	limit := s.srv.cfg.MaxMessageBytes
	system, keywords, err := storedFlags(cmd.flags)
	switch {
	case err != nil:
		return err
	case lit == nil:
		return bad("Expected a literal")
	case lit.Size > limit:
		return no("TOOBIG", fmt.Sprintf("A message may have %d bytes", limit))
	case lit.Size == 0:
		return no("CANNOT", "A message cannot be empty")
	case lit.Size >= appendAsk:
		if err := s.user.Room(ctx, cmd.name, lit.Size); err != nil {
			return tryCreate(err)
		}
	}
	staged, err := s.srv.cfg.Store.Stage(ctx, lit, limit)
	if err != nil {
		return err
	}
	s.startClock()
	if rest, err := s.r.More(); err != nil || len(rest) > 0 {
		staged.Discard()
		if err == nil {
			err = bad("Expected the end of the command after the message")
		}
		return err
	}
	date := cmd.date
	if date.IsZero() {
		date = s.srv.cfg.Now()
	}
	data, err := s.user.Append(ctx, cmd.name, staged, mailstore.AppendOptions{Flags: system, Keywords: keywords, InternalDate: date})
	if err != nil {
		return tryCreate(err)
	}
	s.changed(data.UIDValidity)
	return &statusError{typ: "OK", code: fmt.Sprintf("APPENDUID %d %d", data.UIDValidity, data.UID), text: "APPEND completed"}
}

// tryCreate adds TRYCREATE to the error of a command whose destination does not exist (RFC 3501 section 7.1).
func tryCreate(err error) error {
	if mailerr.Is(err, mailerr.NotFound) {
		return no("TRYCREATE", "No such mailbox")
	}
	return err
}
