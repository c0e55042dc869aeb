package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Message is one message of a mailbox that need not be open.
type Message struct {
	Row    metadata.Message
	Body   *metadata.Body
	Reader *BodyReader
}

// Message finds a message by its mailbox and UID. validity, if not 0, is the UIDVALIDITY the mailbox must have. It needs RightRead. Permission; NotFound when
// there is no such mailbox or message (any more).
func (u *User) Message(ctx context.Context, mailbox string, validity metadata.UIDValidity, uid metadata.UID) (*Message, error) {
	const op = "mailstore.Message"
	m, err := u.locate(ctx, mailbox, metadata.RightRead)
	if err != nil {
		return nil, wrap(op, err)
	}
	if validity != 0 && validity != m.UIDValidity {
		return nil, mailerr.New(op, mailerr.NotFound, "the mailbox has another UIDVALIDITY")
	}
	rows, err := u.store.meta.MessagesByUID(ctx, m.ID, []metadata.UID{uid})
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(rows) == 0 {
		return nil, mailerr.New(op, mailerr.NotFound, "no such message")
	}
	bodies, err := u.store.meta.Bodies(ctx, m.Account, []metadata.BodyID{rows[0].Body})
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(bodies) == 0 {
		return nil, mailerr.New(op, mailerr.NotFound, "no such message")
	}
	b := &bodies[0]
	return &Message{Row: rows[0], Body: b, Reader: u.store.openBody(b)}, nil
}
