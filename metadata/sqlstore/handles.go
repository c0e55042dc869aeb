package sqlstore

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// shards is over how many values an index that is ordered by time is spread.
const shards = 4

var (
	sqlClaimHandle = newText("claim handle", `INSERT INTO sieve_handles (account_id, handle, shard, claimant, expires)
		VALUES ($1, $2, $3, $4, {now} + CAST($5 AS INT8)) ON CONFLICT (account_id, handle) DO UPDATE SET claimant = excluded.claimant,
		expires = excluded.expires WHERE sieve_handles.claimant = excluded.claimant OR sieve_handles.expires <= {now}`)

	sqlSettleHandle = newText("settle handle", `INSERT INTO sieve_handles (account_id, handle, shard, claimant, expires)
		VALUES ($1, $2, $3, '', {now} + CAST($4 AS INT8)) ON CONFLICT (account_id, handle) DO UPDATE SET claimant = '', expires = excluded.expires`)

	sqlExpireHandles = newText("expire handles", `DELETE FROM sieve_handles WHERE shard = $1 AND (account_id, handle) IN
		(SELECT account_id, handle FROM sieve_handles WHERE shard = $1 AND expires <= {now} ORDER BY expires LIMIT $2) AND expires <= {now}`)

	sqlDeleteHandles = newText("delete handles of account", `DELETE FROM sieve_handles WHERE account_id = $1`)
)

func claimHandle(s *Store, account metadata.AccountID, h metadata.Handle, claimant string, ttl time.Duration) *sqldb.Stmt {
	return sqlClaimHandle.stmt(&s.words, 0, account[:], h[:], int64(h[0]%shards), claimant, ttl.Microseconds())
}

// ClaimHandle implements metadata.Store. It may be repeated: the claimant is the same.
func (s *Store) ClaimHandle(ctx context.Context, account metadata.AccountID, h metadata.Handle, claimant string, ttl time.Duration) (bool, error) {
	const op = "metadata.ClaimHandle"
	if err := checkNames(op, claimant); err != nil {
		return false, err
	}
	n, err := s.exec(ctx, op, func() *sqldb.Stmt { return claimHandle(s, account, h, claimant, ttl) })
	return n > 0, err
}

// SettleHandles implements metadata.Store.
func (s *Store) SettleHandles(ctx context.Context, account metadata.AccountID, handles []metadata.HandleUse) error {
	if len(handles) == 0 {
		return nil
	}
	return s.change(ctx, "metadata.SettleHandles", func(tx sqldb.Tx) error {
		stmts := make([]*sqldb.Stmt, len(handles))
		for i := range handles {
			h := &handles[i]
			stmts[i] = sqlSettleHandle.stmt(&s.words, 0, account[:], h.Handle[:], int64(h.Handle[0]%shards), h.TTL.Microseconds())
		}
		return tx.Run(ctx, stmts...)
	}, nil)
}

// ExpireHandles implements metadata.Store.
func (s *Store) ExpireHandles(ctx context.Context, limit int) (int, error) {
	return s.expire(ctx, "metadata.ExpireHandles", sqlExpireHandles, 0, limit)
}

// expire runs a text that removes rows of a shard, for each of the shards from first on.
func (s *Store) expire(ctx context.Context, op string, t *sqlText, first, limit int) (int, error) {
	if limit <= 0 {
		return 0, mailerr.New(op, mailerr.Invalid, "a limit is positive")
	}
	var total int64
	for i := range shards {
		n, err := s.exec(ctx, op, func() *sqldb.Stmt { return t.stmt(&s.words, 0, int64(first+i), int64((limit+shards-1)/shards)) })
		if err != nil {
			return int(total), err
		}
		total += n
	}
	return int(total), nil
}
