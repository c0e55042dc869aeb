package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// upload is a temporary file that becomes an object.
type upload struct {
	s    *Store
	op   string
	key  string
	f    *os.File // nil after Commit and Abort
	size int64
	err  error
}

func (s *Store) create(ctx context.Context, op, key string) (*upload, error) {
	if err := blobstore.CheckKey(op, key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(op, err)
	}
	f, err := s.temp.file()
	if err != nil {
		return nil, missingIsTrouble(wrap(op, err))
	}
	return &upload{s: s, op: op, key: key, f: f}, nil
}

// Write appends to the object.
func (u *upload) Write(p []byte) (int, error) {
	if u.f == nil {
		return 0, mailerr.Wrap(u.op, mailerr.Internal, errors.New("write to a finished upload"))
	}
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.f.Write(p)
	u.size += int64(n)
	u.err = wrap(u.op, err)
	return n, u.err
}

// Commit makes the object visible and durable.
func (u *upload) Commit(ctx context.Context) error {
	if u.f == nil {
		return mailerr.Wrap(u.op, mailerr.Internal, errors.New("commit of a finished upload"))
	}
	err := u.err
	if err == nil {
		err = wrap(u.op, ctx.Err())
	}
	if err == nil {
		err = missingIsTrouble(wrap(u.op, u.commit()))
	}
	if err != nil {
		u.Abort(ctx)
		return err
	}
	u.f = nil
	return nil
}

func (u *upload) commit() error {
	if err := u.s.sync(u.f); err != nil {
		return err
	}
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != u.size {
		return fmt.Errorf("%s has %d bytes after %d were written", u.key, info.Size(), u.size)
	}
	if err := u.f.Close(); err != nil {
		return err
	}
	path := u.s.path(u.key)
	if err := u.s.moveInto(u.f.Name(), path); err != nil {
		return err
	}
	return u.s.syncDir(filepath.Dir(path))
}

// Abort removes the temporary file.
func (u *upload) Abort(context.Context) {
	if u.f == nil {
		return
	}
	// Closing twice or removing what is gone is of no interest here; a file that stays is swept at the next Open.
	_ = u.f.Close()
	_ = os.Remove(u.f.Name())
	u.f = nil
}

// missingIsTrouble turns NotFound into Internal: when writing, a directory that is not there is a fault, not an answer.
func missingIsTrouble(err error) error {
	if mailerr.Is(err, mailerr.NotFound) {
		return mailerr.Wrap("filestore", mailerr.Internal, err)
	}
	return err
}

// moveInto renames a file to path, making path's directories.
func (s *Store) moveInto(from, path string) error {
	s.tree.RLock()
	defer s.tree.RUnlock()
	for attempt := 0; ; attempt++ {
		if err := s.makeDir(filepath.Dir(path)); err != nil {
			return err
		}
		err := os.Rename(from, path)
		if err == nil || attempt == 2 || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// Another process removed a directory that had become empty.
		s.forget(filepath.Dir(path))
	}
}
