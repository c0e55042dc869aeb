package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

// How long a method tries before it answers Unavailable; ctx may end it sooner. Conflicts pass by themselves; a database
// that is away is the caller's to wait for; an ambiguous commit is worth some patience, since the caller can only guess.
const (
	conflictPatience = 30 * time.Second
	doubtPatience    = 10 * time.Second // Options.Patience
	lostTries        = 4
	uniqueTries      = 8
)

// change runs fn as one transaction until it is known what became of it. fn is called anew for every try and must begin its
// results anew. happened tells, after an ambiguous commit, whether the last try's transaction is there: it runs in a
// transaction of its own and first locks what fn locked, so that a commit still under way ends before it looks. Without
// happened, fn is repeated: for changes that may be made twice.
func (s *Store) change(ctx context.Context, op string, fn func(sqldb.Tx) error, happened func(sqldb.Tx) (bool, error)) error {
	start := time.Now()
	conflict := sqldb.Backoff{First: 2 * time.Millisecond, Max: 500 * time.Millisecond}
	lost := sqldb.Backoff{First: 20 * time.Millisecond, Max: time.Second}
	losses, uniques := 0, 0
	var doubt time.Time // since when a try may have happened; its caller would do it once more
	hopeless := func() bool {
		losses++
		if doubt.IsZero() {
			return losses >= lostTries
		}
		return time.Since(doubt) > s.patience
	}
	for {
		err := s.db.Write(ctx, fn)
		class, ok := sqldb.ClassOf(err)
		if err == nil || !ok {
			return s.fail(op, err)
		}
		var wait error
		switch class {
		case sqldb.Conflict:
			if time.Since(start) > conflictPatience {
				return s.fail(op, err)
			}
			wait = conflict.Wait(ctx)
		case sqldb.Unique: // somebody was faster where no clock is locked yet: fn will find the row now
			if uniques++; uniques >= uniqueTries {
				return s.fail(op, err)
			}
			wait = conflict.Wait(ctx)
		case sqldb.Lost:
			if hopeless() {
				return s.fail(op, err)
			}
			wait = lost.Wait(ctx)
		case sqldb.Ambiguous:
			if doubt.IsZero() {
				doubt = time.Now()
			}
			if hopeless() {
				return s.fail(op, err)
			}
			if happened == nil {
				wait = lost.Wait(ctx)
				break
			}
			yes, herr := s.settle(ctx, happened)
			if herr != nil {
				return s.fail(op, errors.Join(err, herr))
			}
			if yes {
				return nil
			}
		default:
			return s.fail(op, err)
		}
		if wait != nil {
			return s.fail(op, err)
		}
	}
}

// settle asks happened until the database answers.
func (s *Store) settle(ctx context.Context, happened func(sqldb.Tx) (bool, error)) (yes bool, err error) {
	start := time.Now()
	backoff := sqldb.Backoff{First: 20 * time.Millisecond, Max: time.Second}
	for {
		answered := false
		err := s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
			answered = false
			yes, err = happened(tx)
			answered = err == nil
			return err
		})
		if answered { // whatever became of COMMIT: nothing was written
			return yes, nil
		}
		if class, ok := sqldb.ClassOf(err); !ok || class == sqldb.Other || time.Since(start) > s.patience {
			return false, err
		}
		if werr := backoff.Wait(ctx); werr != nil {
			return false, err
		}
	}
}

// read runs the statements build returns from one snapshot. build is called anew for every try and begins its results anew.
func (s *Store) read(ctx context.Context, op string, build func() []*sqldb.Stmt) error {
	start := time.Now()
	backoff := sqldb.Backoff{First: 5 * time.Millisecond, Max: 500 * time.Millisecond}
	for losses := 0; ; {
		err := s.db.Snapshot(ctx, build()...)
		switch class, ok := sqldb.ClassOf(err); {
		case !ok:
			return s.fail(op, err)
		case class == sqldb.Conflict && time.Since(start) < conflictPatience:
		case (class == sqldb.Lost || class == sqldb.Ambiguous) && losses < lostTries-1:
			losses++
		default:
			return s.fail(op, err)
		}
		if backoff.Wait(ctx) != nil {
			return s.fail(op, err)
		}
	}
}

// exec runs one statement that may be made twice, and returns the rows it affected.
func (s *Store) exec(ctx context.Context, op string, build func() *sqldb.Stmt) (affected int64, err error) {
	start := time.Now()
	backoff := sqldb.Backoff{First: 5 * time.Millisecond, Max: 500 * time.Millisecond}
	for losses := 0; ; {
		st := build()
		err := s.db.Exec(ctx, st)
		if err == nil {
			return st.Affected, nil
		}
		switch class, _ := sqldb.ClassOf(err); {
		case class == sqldb.Conflict && time.Since(start) < conflictPatience:
		case (class == sqldb.Lost || class == sqldb.Ambiguous) && losses < lostTries-1:
			losses++
		default:
			return 0, s.fail(op, err)
		}
		if backoff.Wait(ctx) != nil {
			return 0, s.fail(op, err)
		}
	}
}

// fail returns err as an Error of package mailerr. No text of a driver is for a client.
func (s *Store) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	var me *mailerr.Error
	if errors.As(err, &me) {
		return err
	}
	switch class, _ := sqldb.ClassOf(err); {
	case class == sqldb.Conflict, class == sqldb.Lost, class == sqldb.Ambiguous,
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return mailerr.Wrap(op, mailerr.Unavailable, err)
	}
	return internal(op, err)
}

func internal(op string, err error) error { return mailerr.Wrap(op, mailerr.Internal, err) }
