package sqlstore

import (
	"context"
	"errors"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// errBodiesThere ends an Append that met body rows it was about to insert: an earlier try of it happened, or a body is
// appended to a second mailbox. Either way it begins again and looks first.
var errBodiesThere = errors.New("some bodies are there already")

// Append implements metadata.Store. A body has at most one message in a mailbox by Append: an item whose message is there
// already, or was there and is expunged, gets that message's UID and nothing happens twice.
//
// Three round trips: lock the clocks and read the mailboxes; insert packs, bodies and messages and write mailboxes and
// clocks; commit.
func (s *Store) Append(ctx context.Context, batch metadata.AppendBatch) ([]metadata.AppendResult, error) {
	const op = "metadata.Append"
	if len(batch.Items) == 0 {
		return nil, nil
	}
	var results []metadata.AppendResult
	look := false
	try := func(tx sqldb.Tx) (err error) {
		a := &appending{op: op, ledger: s.newLedger(), batch: &batch}
		if err := a.lock(ctx, tx, look); err != nil {
			return err
		}
		results = a.place()
		if batch.AllOrNone && refuseAll(op, results) {
			return nil
		}
		return a.write(ctx, tx)
	}
	// After an ambiguous commit the next try looks for its own rows.
	err := s.change(ctx, op, try, func(sqldb.Tx) (bool, error) { look = true; return false, nil })
	if errors.Is(err, errBodiesThere) {
		look = true
		err = s.change(ctx, op, try, nil)
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

// refuseAll gives an error to every result if one has one, and reports whether.
func refuseAll(op string, results []metadata.AppendResult) bool {
	if !slices.ContainsFunc(results, func(r metadata.AppendResult) bool { return r.Err != nil }) {
		return false
	}
	for i := range results {
		if results[i].Err == nil {
			results[i] = metadata.AppendResult{Err: mailerr.New(op, mailerr.Invalid, "another message was refused")}
		}
	}
	return true
}

// appending is one try of an Append.
type appending struct {
	op      string
	ledger  *ledger
	batch   *metadata.AppendBatch
	there   map[appendKey]metadata.AppendResult // items that happened earlier
	known   map[bodyKey]int64                   // body rows that are there: the account's MODSEQ when they were added
	bodies  []*metadata.Body                    // rows to insert
	threads threadPlacing
	rows    []messageRow // rows to insert
	changed map[metadata.MailboxID]*metadata.Mailbox
}

type bodyKey struct {
	account metadata.AccountID
	body    metadata.BodyID
}

type appendKey struct {
	mailbox metadata.MailboxID
	body    metadata.BodyID
}

type messageRow struct {
	mailbox metadata.MailboxID
	metadata.Message
}

func (a *appending) lock(ctx context.Context, tx sqldb.Tx, look bool) error {
	accounts := make([]metadata.AccountID, 0, len(a.batch.Items))
	mailboxes := make([]metadata.MailboxID, 0, len(a.batch.Items))
	seen := map[metadata.MailboxID]bool{}
	for i := range a.batch.Items {
		it := &a.batch.Items[i]
		accounts = append(accounts, it.Account)
		if !seen[it.Mailbox] {
			seen[it.Mailbox] = true
			mailboxes = append(mailboxes, it.Mailbox)
		}
	}
	stmts := append(a.ledger.lock(accounts...), a.ledger.load(mailboxes...)...)
	stmts = append(stmts, a.threads.look(&a.ledger.s.words, a.batch.Items)...)
	if !look {
		return tx.Run(ctx, stmts...)
	}
	if err := tx.Run(ctx, append(stmts, a.lookForBodies()...)...); err != nil {
		return err
	}
	return tx.Run(ctx, a.lookForMessages()...)
}

// place gives UIDs, in the order of the items.
func (a *appending) place() []metadata.AppendResult {
	results := make([]metadata.AppendResult, len(a.batch.Items))
	a.changed = map[metadata.MailboxID]*metadata.Mailbox{}
	placed := map[appendKey]int{}
	added := map[bodyKey]bool{}
	for i := range a.batch.Items {
		it := &a.batch.Items[i]
		key := appendKey{it.Mailbox, it.Body.ID}
		if first, ok := placed[key]; ok {
			results[i] = results[first]
			continue
		}
		results[i] = a.placeItem(it, added)
		if results[i].Err == nil {
			placed[key] = i
		}
	}
	return results
}

func (a *appending) placeItem(it *metadata.AppendItem, added map[bodyKey]bool) metadata.AppendResult {
	refuse := func(k mailerr.Kind, text string) metadata.AppendResult {
		return metadata.AppendResult{Err: mailerr.New(a.op, k, text)}
	}
	m, c, err := a.ledger.mailbox(a.op, it.Account, it.Mailbox, noMailbox)
	if err != nil {
		return metadata.AppendResult{Err: err}
	}
	if r, ok := a.there[appendKey{it.Mailbox, it.Body.ID}]; ok {
		r.UIDValidity = m.UIDValidity
		return r
	}
	size := it.Body.Size()
	switch {
	case it.Body.Account != it.Account:
		return refuse(mailerr.Invalid, "the body belongs to another account")
	case !validKeywords(it.Keywords):
		return refuse(mailerr.Invalid, "invalid keyword")
	case !it.IgnoreQuota && !c.fits(1, size, it.QuotaGrace):
		return refuse(mailerr.OverQuota, "")
	case m.UIDNext == maxUint32:
		return refuse(mailerr.Limit, "the mailbox has no UIDs left")
	}
	modSeq := metadata.ModSeq(c.tick())
	row := messageRow{it.Mailbox, metadata.Message{
		UID: m.UIDNext, Flags: it.Flags, Keywords: canonicalKeywords(it.Keywords), ModSeq: modSeq,
		InternalDate: it.InternalDate, SaveDate: it.SaveDate, Size: size, Body: it.Body.ID,
	}}
	a.rows = append(a.rows, row)
	if key := (bodyKey{it.Account, it.Body.ID}); !added[key] && a.known[key] == 0 {
		added[key] = true
		a.bodies = append(a.bodies, &it.Body)
		a.threads.place(it)
	}
	c.add(1, size)
	count(m, it.Flags, size, 1)
	m.UIDNext++
	m.HighestModSeq = modSeq
	a.changed[m.ID] = m
	return metadata.AppendResult{UID: row.UID, UIDValidity: m.UIDValidity, ModSeq: modSeq, Use: c.use()}
}

var sqlInsertPacks = newText("insert packs", `INSERT INTO packs (pack_id, size, bodies, created) VALUES {rows (?, ?, ?, ?)}
	ON CONFLICT (pack_id) DO NOTHING`)

var sqlInsertBodies = newText("insert bodies", `INSERT INTO bodies (account_id, body_id, modseq, pack_id, pack_offset,
	pack_length, frames, stored, prefix, hash, summary) VALUES {rows (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)}
	ON CONFLICT (account_id, body_id) DO NOTHING`)

var sqlInsertMessages = newText("insert messages", `INSERT INTO messages (mailbox_id, `+messageColumns+`)
	VALUES {rows (?, ?, ?, ?, ?, ?, ?, ?, ?)}`)

func (a *appending) write(ctx context.Context, tx sqldb.Tx) error {
	if len(a.rows) == 0 {
		return nil
	}
	w := &a.ledger.s.words
	stmts := rowStmts(sqlInsertPacks, w, a.batch.Packs, repeatLast, func(args []any, p *metadata.Pack) []any {
		return append(args, p.ID[:], p.Size, int64(p.Bodies), micros(p.Created))
	})
	bodies := rowStmts(sqlInsertBodies, w, a.bodies, exact, func(args []any, pb **metadata.Body) []any {
		b := *pb
		return append(args, b.Account[:], b.ID[:], a.ledger.clocks[b.Account].modSeq, b.Pack[:], b.Offset, b.Length,
			notNil(b.Frames), b.Stored, notNil(b.Prefix), notNil(b.Hash), notNil(b.Summary))
	})
	stmts = append(stmts, bodies...)
	stmts = append(stmts, a.threads.write(w)...)
	stmts = append(stmts, rowStmts(sqlInsertMessages, w, a.rows, exact, func(args []any, r *messageRow) []any {
		return append(args, r.mailbox[:], int64(r.UID), int64(r.Flags), r.Keywords, int64(r.ModSeq),
			micros(r.InternalDate), micros(r.SaveDate), r.Size, r.Body[:])
	})...)
	changed := make([]*metadata.Mailbox, 0, len(a.changed))
	for _, m := range a.changed {
		changed = append(changed, m)
	}
	if err := tx.Run(ctx, append(stmts, a.ledger.save(changed...)...)...); err != nil {
		return err
	}
	var inserted int64
	for _, st := range bodies {
		inserted += st.Affected
	}
	if inserted != int64(len(a.bodies)) {
		return errBodiesThere
	}
	return nil
}

// notNil keeps an empty byte string from being NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
