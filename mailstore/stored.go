package mailstore

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// Stored returns messages that are in a mailbox, by UID: those that are gone are missing. It asks for no rights: it is for what the
// server does on the behalf of the mailbox's owner. For some hundred messages. Unavailable.
func (s *Store) Stored(ctx context.Context, account metadata.AccountID, mailbox metadata.MailboxID, uids []metadata.UID) ([]Message, error) {
	const op = "mailstore.Stored"
	rows, err := s.meta.MessagesByUID(ctx, mailbox, uids)
	if err != nil || len(rows) == 0 {
		return nil, wrap(op, err)
	}
	ids := make([]metadata.BodyID, len(rows))
	for i := range rows {
		ids[i] = rows[i].Body
	}
	bodies, err := s.meta.Bodies(ctx, account, ids)
	if err != nil {
		return nil, wrap(op, err)
	}
	byID := make(map[metadata.BodyID]*metadata.Body, len(bodies))
	for i := range bodies {
		byID[bodies[i].ID] = &bodies[i]
	}
	messages := make([]Message, 0, len(rows))
	for i := range rows {
		if b := byID[rows[i].Body]; b != nil {
			messages = append(messages, Message{Row: rows[i], Body: b, Reader: s.openBody(b)})
		}
	}
	return messages, nil
}

// StoreFlags changes flags on the behalf of the mailbox's owner, in a mailbox that nobody need have open. The errors of
// metadata.Store.StoreFlags; Invalid or Limit for keywords.
func (s *Store) StoreFlags(ctx context.Context, req metadata.StoreFlags) (*metadata.StoreResult, error) {
	const op = "mailstore.StoreFlags"
	if err := checkKeywords(op, req.Keywords); err != nil {
		return nil, err
	}
	res, err := s.meta.StoreFlags(ctx, req)
	if err != nil {
		return nil, wrap(op, err)
	}
	if len(res.Changed) > 0 {
		s.publish(hintOf(req.Account, req.Mailbox, res.ModSeq))
	}
	return res, nil
}
