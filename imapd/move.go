package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// moveCommand has no seqs: RFC 6851 section 3 wants the EXPUNGE responses before the tagged one.
var moveCommand = command{
	name:   "MOVE",
	states: selected,
	parse: func(p *wire.Parser) (runner, error) {
		t, err := parseTransfer(p, false)
		return moveMessages(t), err
	},
}

var uidMoveCommand = command{
	name:   "UID MOVE",
	states: selected,
	parse: func(p *wire.Parser) (runner, error) {
		t, err := parseTransfer(p, true)
		return moveMessages(t), err
	},
}

// moveMessages is MOVE and UID MOVE (RFC 6851). The EXPUNGE responses come from the sync that follows every command.
type moveMessages transfer

func (c moveMessages) run(ctx context.Context, s *session) error {
	uids, err := c.set.resolve(s)
	if err != nil {
		return err
	}
	if s.sel.Mode() == mailstore.ReadOnly {
		return errReadOnly
	}
	if len(uids) == 0 {
		return nil
	}
	uids, cut := s.highest(uids)
	var res *mailstore.CopyData
	err = s.lend(func() (err error) {
		res, err = s.sel.Move(ctx, uids, c.dest)
		return err
	})
	if err != nil {
		return tryCreate(err)
	}
	if len(res.Dest) == 0 {
		return c.set.goneError()
	}
	s.copyEvent(res)
	s.caused = true
	s.changed(res.UIDValidity, metadata.UIDSetOf(res.Dest...))
	// RFC 6851 section 4.3: COPYUID comes before the EXPUNGE responses.
	if !res.Hidden {
		s.w.Raw("* OK [").Raw(copyUID(res))
		s.remark("Moved UIDs")
	}
	return cut.completion(s, s.highestModSeq("MOVE completed"))
}
