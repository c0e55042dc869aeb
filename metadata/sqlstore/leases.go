package sqlstore

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlAcquireLease = newText("acquire lease", `INSERT INTO leases (name, holder, expires) VALUES ($1, $2, {now} + CAST($3 AS INT8))
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
		WHERE leases.holder = excluded.holder OR leases.expires <= {now}`)

	sqlRenewLease = newText("renew lease", `UPDATE leases SET expires = {now} + CAST($3 AS INT8) WHERE name = $1 AND holder = $2`)

	sqlReleaseLease = newText("release lease", `DELETE FROM leases WHERE name = $1 AND holder = $2`)
)

// AcquireLease implements metadata.Store.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) error {
	return s.holdLease(ctx, "metadata.AcquireLease", sqlAcquireLease, name, holder, ttl)
}

// RenewLease implements metadata.Store. A lease whose time is over may be renewed while nobody took it.
func (s *Store) RenewLease(ctx context.Context, name, holder string, ttl time.Duration) error {
	return s.holdLease(ctx, "metadata.RenewLease", sqlRenewLease, name, holder, ttl)
}

func (s *Store) holdLease(ctx context.Context, op string, t *sqlText, name, holder string, ttl time.Duration) error {
	if err := checkNames(op, name, holder); err != nil {
		return err
	}
	n, err := s.exec(ctx, op, func() *sqldb.Stmt { return t.stmt(&s.words, 0, name, holder, ttl.Microseconds()) })
	if err == nil && n == 0 {
		err = mailerr.New(op, mailerr.InUse, "in use by another session")
	}
	return err
}

// ReleaseLease implements metadata.Store.
func (s *Store) ReleaseLease(ctx context.Context, name, holder string) error {
	const op = "metadata.ReleaseLease"
	if err := checkNames(op, name, holder); err != nil {
		return err
	}
	_, err := s.exec(ctx, op, func() *sqldb.Stmt { return sqlReleaseLease.stmt(&s.words, 0, name, holder) })
	return err
}
