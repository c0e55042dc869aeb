package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var sqlMailboxByID = newText("mailbox by id", `SELECT `+mailboxColumns+` FROM mailboxes WHERE mailbox_id = $1`)

var sqlMessages = newText("messages", `SELECT {many `+messageColumns+`} FROM messages WHERE mailbox_id = $1 ORDER BY uid`)

// LoadMailbox implements metadata.Store.
func (s *Store) LoadMailbox(ctx context.Context, id metadata.MailboxID) (*metadata.Mailbox, []metadata.Message, error) {
	const op = "metadata.LoadMailbox"
	var box *metadata.Mailbox
	var msgs []metadata.Message
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		box, msgs = nil, nil
		messages := sqlMessages.stmt(&s.words, 0, id[:])
		var scanner messageScanner
		messages.Each = func(r sqldb.Row) error {
			if msgs == nil && box != nil {
				msgs = make([]metadata.Message, 0, box.Messages)
			}
			msgs = append(msgs, metadata.Message{})
			return scanner.scan(r, &msgs[len(msgs)-1])
		}
		return []*sqldb.Stmt{s.oneMailbox(id, &box), messages}
	})
	switch {
	case err != nil:
		return nil, nil, err
	case box == nil:
		return nil, nil, mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	sortByUID(msgs)
	return box, msgs, nil
}

// oneMailbox returns the statement that reads a mailbox into *to.
func (s *Store) oneMailbox(id metadata.MailboxID, to **metadata.Mailbox) *sqldb.Stmt {
	st := sqlMailboxByID.stmt(&s.words, 0, id[:])
	st.Each = scanOneMailbox(to)
	return st
}

func scanOneMailbox(to **metadata.Mailbox) func(sqldb.Row) error {
	return func(r sqldb.Row) error {
		*to = &metadata.Mailbox{}
		return scanMailbox(r, *to)
	}
}

var sqlMessagesSince = newText("messages since", `SELECT {many `+messageColumns+`} FROM messages WHERE mailbox_id = $1 AND modseq > $2`)
var sqlExpungedSince = newText("expunged since", `SELECT {many uid} FROM expunged WHERE mailbox_id = $1 AND modseq > $2`)

// ChangesSince implements metadata.Store.
func (s *Store) ChangesSince(ctx context.Context, id metadata.MailboxID, since metadata.ModSeq) (*metadata.Changes, error) {
	const op = "metadata.ChangesSince"
	var box *metadata.Mailbox
	var changed []metadata.Message
	var vanished []metadata.UID
	from := int64(min(since, 1<<63-1))
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		box, changed, vanished = nil, nil, nil
		messages := sqlMessagesSince.stmt(&s.words, 0, id[:], from)
		var scanner messageScanner
		messages.Each = func(r sqldb.Row) error {
			changed = append(changed, metadata.Message{})
			return scanner.scan(r, &changed[len(changed)-1])
		}
		return []*sqldb.Stmt{s.oneMailbox(id, &box), messages, s.expungedSince(id, since, &vanished)}
	})
	switch {
	case err != nil:
		return nil, err
	case box == nil:
		return nil, mailerr.New(op, mailerr.NotFound, noMailbox)
	}
	sortByUID(changed)
	return &metadata.Changes{
		Mailbox: *box, Changed: changed, Vanished: metadata.UIDSetOf(vanished...), Complete: since >= box.ExpungedBefore,
	}, nil
}

// sortByUID costs little where the rows came in order.
func sortByUID(msgs []metadata.Message) {
	byUID := func(a, b metadata.Message) int { return cmp.Compare(a.UID, b.UID) }
	if !slices.IsSortedFunc(msgs, byUID) {
		slices.SortFunc(msgs, byUID)
	}
}
