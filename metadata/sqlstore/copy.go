package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const copyInto = `INSERT INTO messages (mailbox_id, ` + messageColumns + `)
	SELECT CAST($1 AS {blob}), CAST($2 AS INT8) + ROW_NUMBER() OVER (ORDER BY uid), flags & CAST($6 AS INT8),
	CASE WHEN CAST($7 AS INT8) = 1 THEN keywords ELSE '' END, CAST($3 AS INT8),
	internal_date, CAST($4 AS INT8), size, body_id FROM messages WHERE mailbox_id = $5`

var (
	sqlCopyPoints = newText("copy points", copyInto+` AND uid IN ({list})`)
	sqlCopySpan   = newText("copy a span", copyInto+` AND uid BETWEEN $8 AND $9`)

	sqlCopyBodies = newText("copy bodies", `INSERT INTO bodies (account_id, body_id, modseq, pack_id, pack_offset, pack_length,
		frames, stored, prefix, hash, summary)
		SELECT CAST($1 AS {blob}), body_id, CAST($2 AS INT8), pack_id, pack_offset, pack_length, frames, stored, prefix, hash, summary
		FROM bodies WHERE account_id = $3 AND body_id IN ({list}) ON CONFLICT (account_id, body_id) DO NOTHING`)

	sqlCopied   = newText("copied", `SELECT modseq, save_date, body_id FROM messages WHERE mailbox_id = $1 AND uid = $2`)
	sqlCopyGone = newText("copied and expunged", `SELECT modseq, save_date, body_id FROM expunged WHERE mailbox_id = $1 AND uid = $2`)
)

// Copy implements metadata.Store.
func (s *Store) Copy(ctx context.Context, req metadata.CopyRequest) (*metadata.CopyResult, error) {
	return s.copyMessages(ctx, "metadata.Copy", req, keepSource)
}

// Move implements metadata.Store.
func (s *Store) Move(ctx context.Context, req metadata.CopyRequest) (*metadata.CopyResult, error) {
	return s.copyMessages(ctx, "metadata.Move", req, expungeSource)
}

// copyMode is the difference between COPY and MOVE.
type copyMode bool

const (
	keepSource    copyMode = false
	expungeSource copyMode = true
)

func (s *Store) copyMessages(ctx context.Context, op string, req metadata.CopyRequest, mode copyMode) (*metadata.CopyResult, error) {
	var t *copying
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		t = &copying{op: op, s: s, req: &req, mode: mode, at: micros(s.now())}
		return t.run(ctx, tx)
	}, func(tx sqldb.Tx) (bool, error) { return t.happened(ctx, tx) })
	if err != nil {
		return nil, err
	}
	return &t.res, nil
}

// copying is one try of a Copy or Move.
type copying struct {
	op   string
	s    *Store
	req  *metadata.CopyRequest
	mode copyMode
	at   int64 // microseconds, of the expunges of a Move

	rows []picked
	res  metadata.CopyResult
}

func (t *copying) run(ctx context.Context, tx sqldb.Tx) error {
	l, w, req := t.s.newLedger(), &t.s.words, t.req
	stmts := append(l.lock(req.Account, req.DestAccount), l.load(req.Source, req.Dest)...)
	p := newPicker(req.Source, req.UIDs)
	if !p.done() {
		stmts = append(stmts, p.next(w, t.s.maxChanges, &t.rows))
	}
	if err := tx.Run(ctx, stmts...); err != nil {
		return err
	}
	source, sourceClock, err := l.mailbox(t.op, req.Account, req.Source, "the source mailbox does not exist")
	if err != nil {
		return err
	}
	dest, destClock, err := l.mailbox(t.op, req.DestAccount, req.Dest, "the destination mailbox does not exist")
	if err != nil {
		return err
	}
	if err := p.fill(ctx, tx, w, maxUint32, &t.rows); err != nil {
		return err
	}
	t.res.UIDValidity, t.res.DestModSeq = dest.UIDValidity, dest.HighestModSeq
	if t.mode == expungeSource {
		t.res.SourceModSeq = source.HighestModSeq
	}
	if len(t.rows) == 0 {
		return nil
	}
	if err := t.checkRoom(dest, destClock); err != nil {
		return err
	}

	// The whole of a Move's source is gone once its rows are copied, so it is written before counters mix (source may be dest).
	destModSeq := destClock.tick()
	copies := t.copyRows(w, source, dest, destModSeq)
	bodies := t.copyBodies(w, destModSeq)
	var size int64
	gone := make([]*picked, len(t.rows))
	for i := range t.rows {
		m := &t.rows[i]
		gone[i] = m
		size += m.Size
		count(dest, m.Flags&^req.DropFlags, m.Size, 1)
		t.res.Source = append(t.res.Source, m.UID)
		t.res.Dest = append(t.res.Dest, dest.UIDNext)
		dest.UIDNext++
	}
	destClock.add(int64(len(t.rows)), size)
	if req.Account != req.DestAccount || t.mode == keepSource {
		t.res.Use, t.res.Bytes = destClock.use(), size
	}
	dest.HighestModSeq = metadata.ModSeq(destModSeq)
	t.res.DestModSeq = dest.HighestModSeq

	writes := append(append(t.copyThreads(w), bodies...), copies...)
	changed := []*metadata.Mailbox{dest}
	var keep, del []*sqldb.Stmt
	if t.mode == expungeSource {
		keep, del = l.expunge(source, sourceClock, gone, t.at)
		t.res.SourceModSeq = source.HighestModSeq
		writes = append(append(writes, keep...), del...)
		changed = append(changed, source)
	}
	if err := tx.Run(ctx, append(writes, l.save(changed...)...)...); err != nil {
		return err
	}
	if n := affected(copies); n != int64(len(t.rows)) {
		return fmt.Errorf("copy inserted %d rows instead of %d", n, len(t.rows))
	}
	if t.mode == expungeSource {
		if err := checkExpunged(keep, del, len(t.rows)); err != nil {
			return err
		}
	}
	return t.checkBodies(ctx, tx, affected(bodies))
}

func (t *copying) checkRoom(dest *metadata.Mailbox, c *clock) error {
	var size int64
	for i := range t.rows {
		size += t.rows[i].Size
	}
	sameAccount := t.req.Account == t.req.DestAccount
	if !t.req.IgnoreQuota && !(t.mode == expungeSource && sameAccount) && !c.fits(int64(len(t.rows)), size, 0) {
		return mailerr.New(t.op, mailerr.OverQuota, "")
	}
	if uint64(dest.UIDNext)+uint64(len(t.rows)) > maxUint32 {
		return mailerr.New(t.op, mailerr.Limit, "the mailbox has no UIDs left")
	}
	return nil
}

// copyRows returns the statements that insert the new rows, in runs of ascending source UIDs: each statement numbers its own
// rows on from where the one before ended.
func (t *copying) copyRows(w *sqldb.Words, source, dest *metadata.Mailbox, modSeq int64) []*sqldb.Stmt {
	var stmts []*sqldb.Stmt
	saved := micros(t.req.SaveDate)
	keep, keepKeywords := int64(^t.req.DropFlags), int64(1)
	if t.req.DropKeywords {
		keepKeywords = 0
	}
	base := int64(dest.UIDNext) - 1
	var points []metadata.UID
	flush := func() {
		for chunk := range slices.Chunk(points, maxList) {
			stmts = append(stmts, listStmts(sqlCopyPoints, w, chunk, func(u *metadata.UID) any { return int64(*u) },
				dest.ID[:], base, modSeq, saved, source.ID[:], keep, keepKeywords)...)
			base += int64(len(chunk))
		}
		points = nil
	}
	for rest := t.rows; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].seq == rest[n-1].seq+1 {
			n++
		}
		if n >= minSpan {
			flush()
			stmts = append(stmts, sqlCopySpan.stmt(w, 0, dest.ID[:], base, modSeq, saved, source.ID[:], keep, keepKeywords,
				int64(rest[0].UID), int64(rest[n-1].UID)))
			base += int64(n)
		} else {
			for i := range rest[:n] {
				points = append(points, rest[i].UID)
			}
		}
		rest = rest[n:]
	}
	flush()
	return stmts
}

// copyBodies returns the statements that give the bodies to another account.
func (t *copying) copyBodies(w *sqldb.Words, modSeq int64) []*sqldb.Stmt {
	if t.req.Account == t.req.DestAccount {
		return nil
	}
	return listStmts(sqlCopyBodies, w, t.bodyIDs(), func(b *metadata.BodyID) any { return b[:] },
		t.req.DestAccount[:], modSeq, t.req.Account[:])
}

// copyThreads returns the statements that give the bodies' threads to another account.
func (t *copying) copyThreads(w *sqldb.Words) []*sqldb.Stmt {
	if t.req.Account == t.req.DestAccount {
		return nil
	}
	return listStmts(sqlCopyThreads, w, t.bodyIDs(), func(b *metadata.BodyID) any { return b[:] }, t.req.DestAccount[:], t.req.Account[:])
}

// bodyIDs returns the bodies of all rows, each once, in the order of their rows.
func (t *copying) bodyIDs() []metadata.BodyID {
	seen := make(map[metadata.BodyID]bool, len(t.rows))
	var ids []metadata.BodyID
	for i := range t.rows {
		if id := t.rows[i].Body; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// checkBodies makes sure that every copied message has a body: some rows may have been there already.
func (t *copying) checkBodies(ctx context.Context, tx sqldb.Tx, inserted int64) error {
	if t.req.Account == t.req.DestAccount {
		return nil
	}
	ids := t.bodyIDs()
	if inserted == int64(len(ids)) {
		return nil
	}
	have := 0
	stmts := listStmts(sqlBodyIDs, &t.s.words, ids, func(b *metadata.BodyID) any { return b[:] }, t.req.DestAccount[:])
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			have++
			var id idColumn
			return r.Scan(&id)
		}
	}
	if err := tx.Run(ctx, stmts...); err != nil {
		return err
	}
	if have != len(ids) {
		return fmt.Errorf("%d of %d bodies to copy are missing", len(ids)-have, len(ids))
	}
	return nil
}

var sqlBodyIDs = newText("body ids", `SELECT body_id FROM bodies WHERE account_id = $1 AND body_id IN ({list})`)

// happened looks for the first copied message, by UID, body, MODSEQ and date: nobody else's transaction wrote that one.
func (t *copying) happened(ctx context.Context, tx sqldb.Tx) (bool, error) {
	if len(t.rows) == 0 {
		return true, nil
	}
	if err := t.s.lockOnly(ctx, tx, t.req.Account, t.req.DestAccount); err != nil {
		return false, err
	}
	if t.mode == expungeSource {
		return t.s.isExpunged(ctx, tx, t.req.Source, t.res.Source[0], t.res.SourceModSeq, t.at)
	}
	yes := false
	var stmts []*sqldb.Stmt
	for _, text := range []*sqlText{sqlCopied, sqlCopyGone} {
		st := text.stmt(&t.s.words, 0, t.req.Dest[:], int64(t.res.Dest[0]))
		st.Each = func(r sqldb.Row) error {
			var modSeq, saved int64
			var body metadata.BodyID
			err := r.Scan(&modSeq, &saved, (*idColumn)(&body))
			if saved == micros(t.req.SaveDate) && body == t.rows[0].Body && modSeq >= int64(t.res.DestModSeq) {
				yes = true
			}
			return err
		}
		stmts = append(stmts, st)
	}
	err := tx.Run(ctx, stmts...)
	return yes, err
}
