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
	if e.set != nil {
		// To Expunge, nil means all.
		if uids = e.set.resolveLoosely(s); len(uids) == 0 {
			return nil
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
		return nil
	}
	return s.highestModSeq("EXPUNGE completed")
}

// highestModSeq completes a command that removed messages: RFC 7162 section 3.2.7 and RFC 6851 section 4.4 want
// HIGHESTMODSEQ in it for clients that know CONDSTORE.
func (s *session) highestModSeq(text string) error {
	if !s.condstore {
		return nil
	}
	return &statusError{typ: "OK", text: text, highest: true}
}
