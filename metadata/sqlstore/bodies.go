package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const locationColumns = `body_id, pack_id, pack_offset, pack_length, frames, stored, prefix`

var sqlBodies = newText("bodies", `SELECT {many `+locationColumns+`, hash, summary} FROM bodies WHERE account_id = $1 AND body_id IN ({list})`)
var sqlBodyLocations = newText("body locations", `SELECT {many `+locationColumns+`} FROM bodies WHERE account_id = $1 AND body_id IN ({list})`)

// bodyScanner scans rows of bodies without an allocation each, but for what they hold.
type bodyScanner struct {
	row  metadata.Body
	dest []any
}

// newBodyScanner returns a scanner of locationColumns and, if need be, more.
func newBodyScanner(account metadata.AccountID, t *sqlText) *bodyScanner {
	c := &bodyScanner{row: metadata.Body{Account: account}}
	b := &c.row
	c.dest = []any{(*idColumn)(&b.ID), (*idColumn)(&b.Pack), &b.Offset, &b.Length, &b.Frames, &b.Stored, &b.Prefix}
	if t == sqlBodies {
		c.dest = append(c.dest, &b.Hash, &b.Summary)
	}
	return c
}

// scan returns a row, which refers to nothing of the scanner.
func (c *bodyScanner) scan(r sqldb.Row) (metadata.Body, error) {
	c.row.Frames, c.row.Prefix, c.row.Hash, c.row.Summary = nil, nil, nil, nil
	err := r.Scan(c.dest...)
	return c.row, err
}

// Bodies implements metadata.Store.
func (s *Store) Bodies(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	return s.bodies(ctx, "metadata.Bodies", sqlBodies, account, ids)
}

// BodyLocations implements metadata.Store.
func (s *Store) BodyLocations(ctx context.Context, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
	return s.bodies(ctx, "metadata.BodyLocations", sqlBodyLocations, account, ids)
}

func (s *Store) bodies(ctx context.Context, op string, t *sqlText, account metadata.AccountID, ids []metadata.BodyID) ([]metadata.Body, error) {
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
		scanner := newBodyScanner(account, t)
		for _, st := range stmts {
			st.Each = func(r sqldb.Row) error {
				b, err := scanner.scan(r)
				bodies = append(bodies, b)
				return err
			}
		}
		return stmts
	})
	if err != nil {
		return nil, err
	}
	return bodies, nil
}
