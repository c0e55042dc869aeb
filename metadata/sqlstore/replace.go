package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// Replace implements metadata.Store. Three round trips, as Append.
func (s *Store) Replace(ctx context.Context, req metadata.ReplaceRequest) (*metadata.ReplaceResult, error) {
	const op = "metadata.Replace"
	var t *replacing
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		t = &replacing{op: op, s: s, req: &req, at: micros(s.now())}
		return t.run(ctx, tx)
	}, func(tx sqldb.Tx) (bool, error) { return t.happened(ctx, tx) })
	if err != nil {
		return nil, err
	}
	return &t.res, nil
}

// replacing is one try of a Replace.
type replacing struct {
	op  string
	s   *Store
	req *metadata.ReplaceRequest
	at  int64 // microseconds, of the expunge

	res metadata.ReplaceResult
}

func (t *replacing) run(ctx context.Context, tx sqldb.Tx) error {
	req, w := t.req, &t.s.words
	l := t.s.newLedger()
	a := &appending{op: t.op, ledger: l, batch: &metadata.AppendBatch{
		Packs: []metadata.Pack{req.Pack}, Items: []metadata.AppendItem{req.Item},
	}}
	mailboxes := []metadata.MailboxID{req.Mailbox}
	if req.Item.Mailbox != req.Mailbox {
		mailboxes = append(mailboxes, req.Item.Mailbox)
	}
	stmts := append(l.lock(req.Account, req.Item.Account), l.load(mailboxes...)...)
	stmts = append(stmts, a.threads.look(w, a.batch.Items)...)
	p := newPicker(req.Mailbox, metadata.UIDSetOf(req.UID))
	var rows []picked
	if err := tx.Run(ctx, append(stmts, p.next(w, 1, &rows))...); err != nil {
		return err
	}
	source, clock, err := l.mailbox(t.op, req.Account, req.Mailbox, "the source mailbox does not exist")
	if err != nil {
		return err
	}
	if _, _, err := l.mailbox(t.op, req.Item.Account, req.Item.Mailbox, "the destination mailbox does not exist"); err != nil {
		return err
	}
	if len(rows) == 0 {
		return mailerr.New(t.op, mailerr.Expunged, "")
	}
	// First the expunge, so that the new message has the room of the old one.
	keep, del := l.expunge(source, clock, []*picked{&rows[0]}, t.at)
	t.res.SourceModSeq = source.HighestModSeq
	placed := a.place()[0]
	if placed.Err != nil {
		return placed.Err
	}
	t.res.UID, t.res.UIDValidity, t.res.ModSeq = placed.UID, placed.UIDValidity, placed.ModSeq
	a.changed[source.ID] = source
	if err := tx.Run(ctx, append(keep, del...)...); err != nil {
		return err
	}
	if err := checkExpunged(keep, del, 1); err != nil {
		return err
	}
	return a.write(ctx, tx)
}

// happened looks for the expunge: nobody else's transaction wrote that one.
func (t *replacing) happened(ctx context.Context, tx sqldb.Tx) (bool, error) {
	if t.res.UID == 0 {
		return false, nil
	}
	if err := t.s.lockOnly(ctx, tx, t.req.Account, t.req.Item.Account); err != nil {
		return false, err
	}
	return t.s.isExpunged(ctx, tx, t.req.Mailbox, t.req.UID, t.res.SourceModSeq, t.at)
}

// MessagesByUID implements metadata.Store.
func (s *Store) MessagesByUID(ctx context.Context, id metadata.MailboxID, uids []metadata.UID) ([]metadata.Message, error) {
	var msgs []metadata.Message
	set := metadata.UIDSetOf(uids...)
	uids = nil
	for u := range set.All {
		uids = append(uids, u)
	}
	for len(uids) > 0 {
		chunk := uids[:min(maxList, len(uids))]
		uids = uids[len(chunk):]
		before := len(msgs)
		err := s.read(ctx, "metadata.MessagesByUID", func() []*sqldb.Stmt {
			msgs = msgs[:before]
			var scanner messageScanner
			stmts := listStmts(sqlPickPoints, &s.words, chunk, func(u *metadata.UID) any { return int64(*u) }, id[:])
			for _, st := range stmts {
				st.Each = func(r sqldb.Row) error {
					msgs = append(msgs, metadata.Message{})
					return scanner.scan(r, &msgs[len(msgs)-1])
				}
			}
			return stmts
		})
		if err != nil {
			return nil, err
		}
	}
	return msgs, nil
}
