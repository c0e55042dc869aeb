package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var expungeCommand = command{
	name:   "EXPUNGE",
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return expunge{}, p.End() },
}

var uidExpungeCommand = command{
	name:   "UID EXPUNGE",
	states: selected,
	parse: func(p *wire.Parser) (runner, error) {
		if err := p.SP(); err != nil {
			return nil, err
		}
		set, err := parseMessageSet(p, true)
		if err != nil {
			return nil, err
		}
		return expunge{set: &set}, p.End()
	},
}

// expunge is EXPUNGE (RFC 3501 section 6.4.3) and UID EXPUNGE (RFC 4315 section 2.1). The EXPUNGE responses come from the
// sync that follows every command.
type expunge struct {
	set *messageSet // nil: every message with \Deleted
}

func (e expunge) run(ctx context.Context, s *session) error {
	if s.sel.Mode() == mailstore.ReadOnly {
		return errReadOnly
	}
	var uids metadata.UIDSet
	var cut cutShort
	if e.set != nil {
		// To Expunge, nil means all.
		if uids = e.set.resolveLoosely(s); len(uids) == 0 {
			return nil
		}
		var err error
		if uids, cut, err = s.highestDeleted(ctx, uids); err != nil {
			return err
		}
	}
	var res *metadata.ExpungeResult
	err := s.lend(func() (err error) {
		res, err = s.sel.Expunge(ctx, uids)
		return err
	})
	if err != nil {
		return err
	}
	if len(res.UIDs) == 0 {
		return cut.completion(s, nil)
	}
	s.caused = true
	return cut.completion(s, s.highestModSeq("EXPUNGE completed"))
}

// highestDeleted returns the messages that UID EXPUNGE is for. Only those with \Deleted count for MESSAGELIMIT.
func (s *session) highestDeleted(ctx context.Context, uids metadata.UIDSet) (metadata.UIDSet, cutShort, error) {
	if most := s.srv.cfg.MaxMessagesPerCommand; most == 0 || uids.Len() <= most {
		return uids, cutShort{}, nil
	}
	var deleted []metadata.UID
	err := s.sel.Messages(ctx, uids, func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone && m.Flags&metadata.FlagDeleted != 0 {
			deleted = append(deleted, m.UID)
		}
		return true
	})
	if err != nil {
		return nil, cutShort{}, err
	}
	kept, cut := s.highest(metadata.UIDSetOf(deleted...))
	if cut.lowest == 0 {
		return uids, cut, nil // others may have marked more
	}
	return kept, cut, nil
}

// highestModSeq completes a command that removed messages: RFC 7162 section 3.2.7 and RFC 6851 section 4.4 want
// HIGHESTMODSEQ in it for clients that know CONDSTORE.
func (s *session) highestModSeq(text string) error {
	if !s.condstore {
		return nil
	}
	return &statusError{typ: "OK", text: text, highest: true}
}
