package imapd

import (
	"context"
	"strconv"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var copyCommand = command{
	name:   "COPY",
	order:  beside(flags|messages|searchResult, mailboxes),
	states: selected,
	seqs:   true,
	parse: func(p *wire.Parser) (runner, error) {
		t, err := parseTransfer(p, false)
		return copyMessages(t), err
	},
}

var uidCopyCommand = command{
	name:   "UID COPY",
	order:  beside(flags|messages|searchResult, mailboxes),
	states: selected,
	parse: func(p *wire.Parser) (runner, error) {
		t, err := parseTransfer(p, true)
		return copyMessages(t), err
	},
}

// transfer is the arguments of COPY and MOVE.
type transfer struct {
	set  messageSet
	dest string
}

func parseTransfer(p *wire.Parser, uid bool) (t transfer, err error) {
	if err = p.SP(); err != nil {
		return t, err
	}
	if t.set, err = parseMessageSet(p, uid); err != nil {
		return t, err
	}
	if err = p.SP(); err != nil {
		return t, err
	}
	if t.dest, err = p.Mailbox(); err != nil {
		return t, err
	}
	return t, p.End()
}

// copyMessages is COPY and UID COPY (RFC 3501 section 6.4.7), with COPYUID of RFC 4315.
type copyMessages transfer

func (c copyMessages) run(ctx context.Context, s *session) error {
	uids, err := c.set.resolve(s)
	if err != nil || len(uids) == 0 {
		return err
	}
	if most := s.mostSaved(); most > 0 && uids.Len() > most {
		return tooMany(most, lastOf(uids, most)[0].First)
	}
	var res *mailstore.CopyData
	err = s.lend(func() (err error) {
		res, err = s.sel.Copy(ctx, uids, c.dest)
		return err
	})
	if err != nil {
		return tryCreate(err)
	}
	if len(res.Dest) == 0 {
		return c.set.goneError()
	}
	s.copyEvent(res)
	s.changed(res.UIDValidity, metadata.UIDSetOf(res.Dest...))
	text := "COPY completed"
	if len(res.Source) < uids.Len() {
		text = "Copied what there was: some of the messages no longer exist"
	}
	st := &statusError{typ: "OK", text: text}
	if !res.Hidden {
		st.code = copyUID(res)
	}
	return st
}

// copyUID returns the response code of RFC 4315 section 3, which is not for a mailbox that the user may not read.
func copyUID(res *mailstore.CopyData) string {
	return "COPYUID " + strconv.FormatUint(uint64(res.UIDValidity), 10) + " " + formatUIDs(res.Source) + " " + formatUIDs(res.Dest)
}
