package sqlstore

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// Waiting items are in the shards 0 to shards-1, ended ones in those that follow.
func waitingShard(id metadata.OutboundID) int64 { return int64(id[0] % shards) }
func endedShard(id metadata.OutboundID) int64   { return shards + waitingShard(id) }

const outboundColumns = `item_id, state, account_id, kind, sender, recipient, created, next_attempt, attempts, last_error, holder, prefix,
	pack_id, pack_offset, pack_length, frames, stored`

var (
	sqlInsertOutbound = newText("insert outbound", `INSERT INTO outbound (item_id, shard, next_attempt, state, account_id, kind, sender,
		recipient, created, attempts, last_error, holder, prefix, body, pack_id, pack_offset, pack_length, frames, stored)
		VALUES ($1, $2, {now}, 0, $3, $4, $5, $6, {now}, 0, '', '', $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (item_id) DO NOTHING`)

	sqlClaimOutbound = newText("claim outbound", `UPDATE outbound SET holder = $1, attempts = attempts + 1, next_attempt = {now} + CAST($2 AS INT8)
		WHERE item_id IN (SELECT item_id FROM outbound WHERE shard = $3 AND next_attempt <= {now} ORDER BY next_attempt LIMIT $4)
		AND shard = $3 AND next_attempt <= {now} RETURNING `+outboundColumns+`, body`)

	sqlRenewOutbound = newText("renew outbound", `UPDATE outbound SET next_attempt = {now} + CAST($2 AS INT8)
		WHERE holder = $1 AND state = 0 AND item_id IN ({list}) RETURNING item_id`)

	sqlLockOutbound = newText("lock outbound", `SELECT item_id FROM outbound WHERE holder = $1 AND state = 0 AND item_id IN ({list}) {for update}`)

	sqlDelayOutbound = newText("delay outbound", `UPDATE outbound SET holder = '', next_attempt = {now} + CAST($2 AS INT8), last_error = $3
		WHERE item_id = $1`)

	sqlEndOutbound = newText("end outbound", `UPDATE outbound SET holder = '', shard = $2, state = $3, next_attempt = {now} + CAST($4 AS INT8),
		last_error = $5, prefix = $6, body = $6, pack_id = $6, frames = $6 WHERE item_id = $1 AND state = 0`)

	sqlRetryOutbound = newText("retry outbound", `UPDATE outbound SET next_attempt = {now} WHERE holder = '' AND state = 0 AND item_id IN ({list})`)

	sqlOutbound = newText("outbound", `SELECT `+outboundColumns+` FROM outbound WHERE item_id > $1 AND state <= $3 ORDER BY item_id LIMIT $2`)

	sqlOutboundCount = newText("outbound count", `SELECT COUNT(item_id), COALESCE({now} - MIN(created), 0)
		FROM (SELECT item_id, created FROM outbound WHERE shard = $1 ORDER BY next_attempt LIMIT $2) AS w`)

	sqlExpireOutbound = newText("expire outbound", `DELETE FROM outbound WHERE shard = $1 AND item_id IN
		(SELECT item_id FROM outbound WHERE shard = $1 AND next_attempt <= {now} ORDER BY next_attempt LIMIT $2)`)

	sqlOutboundPacks = newText("outbound packs", `SELECT DISTINCT pack_id FROM outbound WHERE pack_id IN ({list})`)
)

// Enqueue implements metadata.Store. It may be repeated: a handle is claimed in the name of its item, and an item that is
// there stays as it is.
func (s *Store) Enqueue(ctx context.Context, items []metadata.Enqueue) (queued []bool, err error) {
	const op = "metadata.Enqueue"
	if len(items) == 0 {
		return nil, nil
	}
	if err := checkEnqueue(op, items); err != nil {
		return nil, err
	}
	there := make([]bool, len(items)) // by a try before, whose commit was ambiguous
	err = s.change(ctx, op, func(tx sqldb.Tx) (err error) {
		queued, err = s.enqueue(ctx, tx, items)
		for i := range queued {
			queued[i] = queued[i] || there[i]
			there[i] = queued[i]
		}
		return err
	}, nil)
	if err != nil {
		return nil, err
	}
	return queued, nil
}

func checkEnqueue(op string, items []metadata.Enqueue) error {
	for i := range items {
		it := &items[i].Item
		if len(it.Body.Data) > metadata.MaxOutboundData {
			return mailerr.New(op, mailerr.TooBig, "the body is too big for the queue's table")
		}
		if it.From != "" {
			if err := checkNames(op, it.From); err != nil {
				return err
			}
		}
		if err := checkNames(op, it.To, string(it.Kind)); err != nil {
			return err
		}
	}
	return nil
}

// enqueue is Enqueue within a transaction: one round trip for the handles, one for the items.
func (s *Store) enqueue(ctx context.Context, tx sqldb.Tx, items []metadata.Enqueue) ([]bool, error) {
	queued := make([]bool, len(items))
	claims := make([]*sqldb.Stmt, len(items))
	var first []*sqldb.Stmt
	var packs []metadata.Pack
	for i := range items {
		it := &items[i]
		if it.Once != nil {
			claims[i] = claimHandle(s, it.Item.Account, it.Once.Handle, it.Item.ID.String(), it.Once.TTL)
			first = append(first, claims[i])
		}
		if it.Pack != nil {
			packs = append(packs, *it.Pack)
		}
	}
	first = append(first, rowStmts(sqlInsertPacks, &s.words, packs, repeatLast, func(args []any, p *metadata.Pack) []any {
		return append(args, p.ID[:], p.Size, int64(p.Bodies), micros(p.Created))
	})...)
	if len(first) > 0 {
		if err := tx.Run(ctx, first...); err != nil {
			return nil, err
		}
	}
	var inserts []*sqldb.Stmt
	var which []int
	for i := range items {
		if claims[i] != nil && claims[i].Affected == 0 {
			continue
		}
		inserts = append(inserts, s.insertOutbound(&items[i].Item))
		which = append(which, i)
	}
	if len(inserts) == 0 {
		return queued, nil
	}
	if err := tx.Run(ctx, inserts...); err != nil {
		return nil, err
	}
	for k, i := range which {
		queued[i] = inserts[k].Affected > 0
	}
	return queued, nil
}

func (s *Store) insertOutbound(it *metadata.OutboundItem) *sqldb.Stmt {
	b := &it.Body
	pack := []byte{}
	if b.InPack() {
		pack = b.Pack[:]
	}
	return sqlInsertOutbound.stmt(&s.words, 0, it.ID[:], waitingShard(it.ID), it.Account[:], string(it.Kind), it.From, it.To,
		notNil(b.Prefix), notNil(b.Data), pack, b.Offset, b.Length, notNil(b.Frames), b.Stored)
}

// ClaimOutbound implements metadata.Store. What a try claimed whose answer was lost becomes due again after ttl.
func (s *Store) ClaimOutbound(ctx context.Context, holder string, ttl time.Duration, limit int) ([]metadata.OutboundItem, error) {
	const op = "metadata.ClaimOutbound"
	if err := checkNames(op, holder); err != nil {
		return nil, err
	}
	var items []metadata.OutboundItem
	err := s.change(ctx, op, func(tx sqldb.Tx) error {
		items = nil
		stmts := make([]*sqldb.Stmt, shards)
		for i := range stmts {
			stmts[i] = sqlClaimOutbound.stmt(&s.words, 0, holder, ttl.Microseconds(), int64(i), int64((limit+shards-1)/shards))
			stmts[i].Each = func(r sqldb.Row) error {
				items = append(items, metadata.OutboundItem{})
				return scanOutbound(r, &items[len(items)-1], &items[len(items)-1].Body.Data)
			}
		}
		return tx.Run(ctx, stmts...)
	}, nil)
	return items, err
}

// scanOutbound scans outboundColumns, and those that more has places for.
func scanOutbound(r sqldb.Row, it *metadata.OutboundItem, more ...any) error {
	var state, created, next, attempts int64
	var kind string
	var pack []byte
	dest := []any{(*idColumn)(&it.ID), &state, (*idColumn)(&it.Account), &kind, &it.From, &it.To, &created, &next, &attempts, &it.LastError,
		&it.Holder, &it.Body.Prefix, &pack, &it.Body.Offset, &it.Body.Length, &it.Body.Frames, &it.Body.Stored}
	if err := r.Scan(append(dest, more...)...); err != nil {
		return err
	}
	it.State, it.Kind, it.Attempts = metadata.OutboundState(state), metadata.OutboundKind(kind), int(attempts)
	it.Created, it.Next = fromMicros(created), fromMicros(next)
	if len(pack) == 0 {
		return nil
	}
	return (*idColumn)(&it.Body.Pack).ScanBytes(pack)
}

func outboundID(id *metadata.OutboundID) any { return id[:] }

// RenewOutbound implements metadata.Store.
func (s *Store) RenewOutbound(ctx context.Context, holder string, ttl time.Duration, ids []metadata.OutboundID) ([]metadata.OutboundID, error) {
	return s.heldOutbound(ctx, "metadata.RenewOutbound", ids, func() []*sqldb.Stmt {
		return listStmts(sqlRenewOutbound, &s.words, ids, outboundID, holder, ttl.Microseconds())
	})
}

// heldOutbound runs statements that return ids.
func (s *Store) heldOutbound(ctx context.Context, op string, ids []metadata.OutboundID, build func() []*sqldb.Stmt) (held []metadata.OutboundID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.change(ctx, op, func(tx sqldb.Tx) error {
		held = nil
		return tx.Run(ctx, collectIDs(build(), &held)...)
	}, nil)
	return held, err
}

func collectIDs(stmts []*sqldb.Stmt, into *[]metadata.OutboundID) []*sqldb.Stmt {
	for _, st := range stmts {
		st.Each = func(r sqldb.Row) error {
			*into = append(*into, metadata.OutboundID{})
			return r.Scan((*idColumn)(&(*into)[len(*into)-1]))
		}
	}
	return stmts
}

// FinishOutbound implements metadata.Store. It may be repeated: what ended is not held any more.
func (s *Store) FinishOutbound(ctx context.Context, holder string, results []metadata.OutboundResult) error {
	const op = "metadata.FinishOutbound"
	if len(results) == 0 {
		return nil
	}
	ids := make([]metadata.OutboundID, len(results))
	for i := range results {
		ids[i] = results[i].ID
		if err := checkEnqueue(op, results[i].Then); err != nil {
			return err
		}
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		var held []metadata.OutboundID
		err := tx.Run(ctx, collectIDs(listStmts(sqlLockOutbound, &s.words, ids, outboundID, holder), &held)...)
		if err != nil || len(held) == 0 {
			return err
		}
		mine := make(map[metadata.OutboundID]bool, len(held))
		for _, id := range held {
			mine[id] = true
		}
		var stmts []*sqldb.Stmt
		var then []metadata.Enqueue
		for i := range results {
			r := &results[i]
			if !mine[r.ID] {
				continue
			}
			text := storedText(r.Error)
			if r.State == metadata.OutboundWaiting {
				stmts = append(stmts, sqlDelayOutbound.stmt(&s.words, 0, r.ID[:], r.Delay.Microseconds(), text))
			} else {
				stmts = append(stmts, s.endOutbound(r.ID, r.State, r.Delay, text))
			}
			then = append(then, r.Then...)
		}
		if err := tx.Run(ctx, stmts...); err != nil || len(then) == 0 {
			return err
		}
		_, err = s.enqueue(ctx, tx, then)
		return err
	}, nil)
}

func (s *Store) endOutbound(id metadata.OutboundID, state metadata.OutboundState, remember time.Duration, text string) *sqldb.Stmt {
	return sqlEndOutbound.stmt(&s.words, 0, id[:], endedShard(id), int64(state), remember.Microseconds(), text, []byte{})
}

// Outbound implements metadata.Store.
func (s *Store) Outbound(ctx context.Context, q metadata.OutboundQuery) (items []metadata.OutboundItem, err error) {
	most := metadata.OutboundWaiting
	if q.All {
		most = metadata.OutboundDropped
	}
	err = s.read(ctx, "metadata.Outbound", func() []*sqldb.Stmt {
		items = nil
		st := sqlOutbound.stmt(&s.words, 0, q.After[:], int64(q.Limit), int64(most))
		st.Each = func(r sqldb.Row) error {
			items = append(items, metadata.OutboundItem{})
			return scanOutbound(r, &items[len(items)-1])
		}
		return []*sqldb.Stmt{st}
	})
	return items, err
}

// RetryOutbound implements metadata.Store.
func (s *Store) RetryOutbound(ctx context.Context, ids []metadata.OutboundID) (n int, err error) {
	err = s.change(ctx, "metadata.RetryOutbound", func(tx sqldb.Tx) error {
		stmts := listStmts(sqlRetryOutbound, &s.words, ids, outboundID)
		if err := tx.Run(ctx, stmts...); err != nil {
			return err
		}
		n = int(affected(stmts))
		return nil
	}, nil)
	return n, err
}

// DropOutbound implements metadata.Store.
func (s *Store) DropOutbound(ctx context.Context, ids []metadata.OutboundID, remember time.Duration) (n int, err error) {
	dropped := 0 // by tries before, whose commit was ambiguous
	err = s.change(ctx, "metadata.DropOutbound", func(tx sqldb.Tx) error {
		stmts := make([]*sqldb.Stmt, len(ids))
		for i, id := range ids {
			stmts[i] = s.endOutbound(id, metadata.OutboundDropped, remember, "")
		}
		if err := tx.Run(ctx, stmts...); err != nil {
			return err
		}
		dropped = max(dropped, int(affected(stmts)))
		return nil
	}, nil)
	return dropped, err
}

// maxCounted bounds OutboundCounts.
const maxCounted = 100_000

// OutboundCounts implements metadata.Store.
func (s *Store) OutboundCounts(ctx context.Context) (waiting int64, oldest time.Duration, err error) {
	err = s.read(ctx, "metadata.OutboundCounts", func() []*sqldb.Stmt {
		waiting, oldest = 0, 0
		stmts := make([]*sqldb.Stmt, shards)
		for i := range stmts {
			stmts[i] = sqlOutboundCount.stmt(&s.words, 0, int64(i), int64(maxCounted/shards))
			stmts[i].Each = func(r sqldb.Row) error {
				var n, age int64
				err := r.Scan(&n, &age)
				waiting += n
				oldest = max(oldest, time.Duration(age)*time.Microsecond)
				return err
			}
		}
		return stmts
	})
	return waiting, oldest, err
}

// ExpireOutbound implements metadata.Store.
func (s *Store) ExpireOutbound(ctx context.Context, limit int) (int, error) {
	return s.expire(ctx, "metadata.ExpireOutbound", sqlExpireOutbound, shards, limit)
}

// OutboundPacks implements metadata.Store.
func (s *Store) OutboundPacks(ctx context.Context, packs []metadata.PackID) (found []metadata.PackID, err error) {
	if len(packs) == 0 {
		return nil, nil
	}
	err = s.read(ctx, "metadata.OutboundPacks", func() []*sqldb.Stmt {
		found = nil
		stmts := listStmts(sqlOutboundPacks, &s.words, packs, func(p *metadata.PackID) any { return p[:] })
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				found = append(found, metadata.PackID{})
				return r.Scan((*idColumn)(&found[len(found)-1]))
			}
		}
		return stmts
	})
	return found, err
}
