package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var replaceCommand = command{
	name:    "REPLACE",
	states:  selected,
	waits:   true,
	parse:   func(p *wire.Parser) (runner, error) { return parseReplace(p, false) },
	streams: replaceStreams,
}

var uidReplaceCommand = command{
	name:    "UID REPLACE",
	states:  selected,
	waits:   true,
	parse:   func(p *wire.Parser) (runner, error) { return parseReplace(p, true) },
	streams: replaceStreams,
}

// replace is REPLACE and UID REPLACE (RFC 8508): an APPEND and the EXPUNGE of one message in one transaction.
type replace struct {
	appendMessages
	number uint32 // sequence number or UID; 0 is "*"
	uid    bool
}

func parseReplace(p *wire.Parser, uid bool) (runner, error) {
	cmd := &replace{uid: uid}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if !p.Try('*') {
		var err error
		if cmd.number, err = p.Number(); err != nil || cmd.number == 0 {
			return nil, &wire.SyntaxError{Text: "Expected the number of a message"}
		}
	}
	var err error
	cmd.name, err = oneMailboxArgument(p)
	cmd.rest = p
	return cmd, err
}

func replaceStreams(p *wire.Parser) bool {
	_, err := parseReplace(p, false)
	return err == nil && appendSyntax{single: true}.wantsLiteral(p)
}

func (cmd *replace) run(ctx context.Context, s *session) error {
	if s.sel.Mode() == mailstore.ReadOnly {
		return errReadOnly
	}
	set := messageSet{uid: cmd.uid, ranges: []mailstore.SeqRange{{First: cmd.number, Last: cmd.number}}}
	uids, err := set.resolve(s)
	if err != nil {
		return err
	}
	if len(uids) == 0 {
		return no("NONEXISTENT", "No such message")
	}
	a := newAppending(ctx, s, cmd.name, appendSyntax{single: true}, cmd.rest)
	defer a.end()
	a.replaces = true
	it, err := a.message()
	if err != nil {
		return err
	}
	if _, err := a.more(); err != nil {
		it.staged.Discard()
		return err
	}
	data, err := s.sel.Replace(ctx, uids[0].First, cmd.name, it.staged, it.options)
	if err != nil {
		return tryCreate(err)
	}
	s.appendEvent(data.Account, data.Mailbox, data.UID)
	// RFC 8508 section 4.3: before the EXPUNGE, which with the EXISTS comes from the sync that follows every command.
	if !data.Hidden {
		s.w.Raw("* OK [").Raw(appendUID(data.UIDValidity, data.UID, data.UID))
		s.remark("Replacement message ready")
	}
	s.caused = true
	s.changed(data.UIDValidity, metadata.UIDSetOf(data.UID))
	return nil
}
