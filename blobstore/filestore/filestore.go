package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

var _ blobstore.Store = (*Store)(nil)

// Store is a directory of objects.
type Store struct {
	root string
	temp *tempDir
	sync func(*os.File) error // (*os.File).Sync but in tests

	// tree is held for reading while an object is put into its directory, for writing while empty directories are removed.
	tree    sync.RWMutex
	mu      sync.Mutex
	durable map[string]struct{} // directories known to survive a power cut; guarded by mu
}

const (
	dirMode  = 0o700
	fileMode = 0o600

	// maxDurable bounds the memory of directories; forgetting one costs a needless sync.
	maxDurable = 4096
)

// Open opens the directory at path, making it and those above it when they are missing.
func Open(path string) (*Store, error) {
	const op = "filestore.Open"
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, mailerr.Wrap(op, mailerr.Internal, err)
	}
	s := &Store{root: root, sync: (*os.File).Sync, durable: map[string]struct{}{}}
	if err := s.makeDir(root); err != nil {
		return nil, wrap(op, err)
	}
	if s.temp, err = openTempDir(filepath.Join(root, tempName)); err != nil {
		return nil, wrap(op, err)
	}
	return s, nil
}

// Close gives up the directory; uploads that are still open fail.
func (s *Store) Close() error { return wrap("filestore.Close", s.temp.close()) }

// Put stores one object whole.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	const op = "filestore.Put"
	u, err := s.create(ctx, op, key)
	if err != nil {
		return err
	}
	if _, err := u.Write(data); err != nil {
		u.Abort(ctx)
		return err
	}
	return u.Commit(ctx)
}

// Create begins an object whose size is not known.
func (s *Store) Create(ctx context.Context, key string) (blobstore.Upload, error) {
	u, err := s.create(ctx, "filestore.Create", key)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// ReadRange returns length bytes from offset.
func (s *Store) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	const op = "filestore.ReadRange"
	if err := blobstore.CheckRange(op, key, offset, length); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(op, err)
	}
	f, err := os.Open(s.path(key))
	if err != nil {
		return nil, wrap(op, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, wrap(op, err)
	}
	if info.IsDir() {
		return nil, wrap(op, fs.ErrNotExist)
	}
	if offset > info.Size() || length > info.Size()-offset {
		return nil, mailerr.Wrap(op, mailerr.Internal,
			fmt.Errorf("%s has %d bytes, not %d from %d", key, info.Size(), length, offset))
	}
	data := make([]byte, length)
	if _, err := f.ReadAt(data, offset); err != nil && (err != io.EOF || length > 0) {
		return nil, wrap(op, err)
	}
	return data, nil
}

// Stat returns the object's size.
func (s *Store) Stat(ctx context.Context, key string) (blobstore.ObjectInfo, error) {
	const op = "filestore.Stat"
	if err := blobstore.CheckKey(op, key); err != nil {
		return blobstore.ObjectInfo{}, err
	}
	if err := ctx.Err(); err != nil {
		return blobstore.ObjectInfo{}, wrap(op, err)
	}
	info, err := os.Stat(s.path(key))
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return blobstore.ObjectInfo{}, wrap(op, err)
	}
	return blobstore.ObjectInfo{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Ping proves that the directory is there and can be written to.
func (s *Store) Ping(ctx context.Context) error {
	const op = "filestore.Ping"
	if err := ctx.Err(); err != nil {
		return wrap(op, err)
	}
	f, err := s.temp.file()
	if err != nil {
		return wrap(op, err)
	}
	_, err = f.WriteString("ping")
	return wrap(op, errors.Join(err, f.Close(), os.Remove(f.Name())))
}

func (s *Store) path(key string) string { return filepath.Join(s.root, filepath.FromSlash(key)) }

// wrap classifies an error of the file system: what an operator can mend without us (a full or failing disk, too many open
// files) is Unavailable.
func wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return mailerr.Wrap(op, mailerr.NotFound, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return mailerr.Wrap(op, mailerr.Unavailable, err)
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE,
		syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN, syscall.ESTALE} {
		if errors.Is(err, errno) {
			return mailerr.Wrap(op, mailerr.Unavailable, err)
		}
	}
	return mailerr.Wrap(op, mailerr.Internal, err)
}
