package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
)

var selectCommand = command{
	name:   "SELECT",
	states: loggedIn,
	sync:   syncNone, // opening has just read everything
	parse:  func(p *wire.Parser) (runner, error) { return parseSelect(p, mailstore.ReadWrite) },
}

var examineCommand = command{
	name:   "EXAMINE",
	states: loggedIn,
	sync:   syncNone,
	parse:  func(p *wire.Parser) (runner, error) { return parseSelect(p, mailstore.ReadOnly) },
}

// selectMailbox is SELECT and EXAMINE (RFC 3501 sections 6.3.1 and 6.3.2), with the parameters of RFC 4466.
type selectMailbox struct {
	name      string
	given     string // as the client spelled it
	mode      mailstore.OpenMode
	condstore bool
	qresync   *qresync
}

func parseSelect(p *wire.Parser, mode mailstore.OpenMode) (runner, error) {
	cmd := &selectMailbox{mode: mode}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.name, cmd.given, err = p.MailboxAsGiven(); err != nil {
		return nil, err
	}
	if p.EOF() {
		return cmd, nil
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	err = p.List(func() error {
		switch {
		case p.TryKeyword("CONDSTORE"):
			cmd.condstore = true
			return nil
		case cmd.qresync == nil && p.TryKeyword("QRESYNC"):
			var err error
			cmd.qresync, err = parseQresync(p)
			return err
		}
		return bad("Unknown SELECT parameter")
	})
	if err != nil {
		return nil, err
	}
	return cmd, p.End()
}

func (cmd *selectMailbox) run(ctx context.Context, s *session) error {
	if cmd.qresync != nil && !s.qresync {
		return errNoQresync
	}
	if s.uidOnly && cmd.qresync != nil && len(cmd.qresync.seqs) > 0 { // RFC 9586 section 3.7
		return errUIDRequired
	}
	if s.sel != nil {
		// RFC 7162 section 3.2.11: the boundary between responses for the one mailbox and the other. Whatever becomes of this
		// command, the old mailbox is no longer selected (RFC 3501 section 6.3.1).
		s.unselect()
		s.status("OK", "CLOSED", "Previous mailbox closed")
	}
	if cmd.condstore {
		s.enableCondstore()
	}
	sel, err := s.user.Open(ctx, cmd.name, cmd.mode)
	if err != nil {
		return err
	}
	s.sel, s.selName = sel, cmd.name
	s.writeFlagNames(sel.Keywords())
	s.w.Raw("* ").Number(uint64(sel.NumMessages())).Raw(" EXISTS\r\n")
	s.writeRecent(sel.NumRecent())
	if first := sel.FirstUnseen(); first != 0 && !s.rev2 && !s.uidOnly {
		s.w.Raw("* OK [UNSEEN ").Number(uint64(first))
		s.remark("First unseen")
	}
	m := sel.Mailbox()
	s.w.Raw("* OK [UIDVALIDITY ").Number(uint64(m.UIDValidity))
	s.remark("UIDs valid")
	s.w.Raw("* OK [UIDNEXT ").Number(uint64(m.UIDNext))
	s.remark("Next UID")
	s.w.Raw("* OK [HIGHESTMODSEQ ").Number(uint64(m.HighestModSeq))
	s.remark("Highest")
	s.w.Raw("* OK [").Raw(mailboxIDCode(m.ID))
	s.remark("Mailbox identifier") // RFC 8474 section 4.2
	s.w.Raw("* OK [URLMECH " + urlMechanism)
	s.remark("Mechanisms for URLAUTH") // RFC 4467 section 8
	if s.rev2 {
		if err := s.writeSelectedName(ctx, cmd.given); err != nil {
			s.unselect() // SELECT is all or nothing
			return err
		}
	}
	if cmd.qresync != nil {
		if err := cmd.qresync.respond(ctx, s); err != nil {
			s.unselect() // SELECT is all or nothing
			return err
		}
	}
	switch {
	case cmd.mode == mailstore.ReadOnly:
		return &statusError{typ: "OK", code: "READ-ONLY", text: "EXAMINE completed"}
	case sel.Mode() == mailstore.ReadOnly: // RFC 4314 section 5.2
		return &statusError{typ: "OK", code: "READ-ONLY", text: "SELECT completed; the access rights allow reading"}
	}
	return &statusError{typ: "OK", code: "READ-WRITE", text: "SELECT completed"}
}
