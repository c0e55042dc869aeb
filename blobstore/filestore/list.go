package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// List calls yield for every object whose key begins with prefix, in key order.
func (s *Store) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	const op = "filestore.List"
	if err := blobstore.CheckPrefix(op, prefix); err != nil {
		return err
	}
	dir := "" // the part of the prefix that is whole directories
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		dir = prefix[:i+1]
	}
	return s.list(ctx, op, dir, prefix, yield)
}

// list walks the directory dir, "" or a key prefix that ends with a slash.
func (s *Store) list(ctx context.Context, op, dir, prefix string, yield func(blobstore.ObjectInfo) error) error {
	if err := ctx.Err(); err != nil {
		return wrap(op, err)
	}
	entries, err := os.ReadDir(s.path(dir))
	if err != nil {
		if err := wrap(op, err); !mailerr.Is(err, mailerr.NotFound) {
			return err
		}
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/" // as it counts in the order of keys
		}
		if key := dir + name; blobstore.CheckPrefix(op, key) == nil && (strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			if err := s.list(ctx, op, dir+name, prefix, yield); err != nil {
				return err
			}
			continue
		}
		info, err := os.Stat(s.path(dir + name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue // deleted meanwhile, or nothing of ours
		}
		if err != nil {
			return wrap(op, err)
		}
		if !strings.HasPrefix(dir+name, prefix) {
			continue
		}
		if err := yield(blobstore.ObjectInfo{Key: dir + name, Size: info.Size(), Modified: info.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes an object, and the directories that become empty by it.
func (s *Store) Delete(ctx context.Context, key string) error {
	const op = "filestore.Delete"
	if err := blobstore.CheckKey(op, key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return wrap(op, err)
	}
	path := s.path(key)
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return nil // a prefix of keys, no object
	}
	if err := wrap(op, os.Remove(path)); err != nil && !mailerr.Is(err, mailerr.NotFound) {
		return err
	}
	s.prune(filepath.Dir(path))
	return nil
}
