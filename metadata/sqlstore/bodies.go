package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const locationColumns = `body_id, pack_id, pack_offset, pack_length, frames, stored, prefix`

var sqlBodies = newText("bodies", `SELECT `+locationColumns+`, hash, summary FROM bodies WHERE account_id = $1 AND body_id IN ({list})`)
var sqlBodyLocations = newText("body locations", `SELECT `+locationColumns+` FROM bodies WHERE account_id = $1 AND body_id IN ({list})`)

// Bodies implements metadata.Store.
func (s *Store) Bodies(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	return s.bodies(ctx, "metadata.Bodies", sqlBodies, account, ids, func(r sqldb.Row, b *metadata.Body) error {
		return r.Scan((*idColumn)(&b.ID), (*idColumn)(&b.Pack), &b.Offset, &b.Length, &b.Frames, &b.Stored, &b.Prefix, &b.Hash, &b.Summary)
	})
}

// BodyLocations implements metadata.Store.
func (s *Store) BodyLocations(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	return s.bodies(ctx, "metadata.BodyLocations", sqlBodyLocations, account, ids, func(r sqldb.Row, b *metadata.Body) error {
		return r.Scan((*idColumn)(&b.ID), (*idColumn)(&b.Pack), &b.Offset, &b.Length, &b.Frames, &b.Stored, &b.Prefix)
	})
}

func (s *Store) bodies(ctx context.Context, op string, t *sqlText, account metadata.AccountID, ids []metadata.BodyID,
	scan func(sqldb.Row, *metadata.Body) error,
) ([]metadata.Body, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > maxList { // an id asked for twice must not come back from two chunks
		ids = slices.Clone(ids)
		slices.SortFunc(ids, func(a, b metadata.BodyID) int { return bytes.Compare(a[:], b[:]) })
		ids = slices.Compact(ids)
	}
	var bodies []metadata.Body
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		bodies = make([]metadata.Body, 0, len(ids))
		stmts := listStmts(t, &s.words, ids, func(id *metadata.BodyID) any { return id[:] }, account[:])
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				bodies = append(bodies, metadata.Body{Account: account})
				return scan(r, &bodies[len(bodies)-1])
			}
		}
		return stmts
	})
	if err != nil {
		return nil, err
	}
	return bodies, nil
}
