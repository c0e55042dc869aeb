package filestore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// makeDir makes a directory durable: it and those above it exist, and the entry of each made one is synced. One that another
// goroutine has made but not yet synced is synced here too.
func (s *Store) makeDir(dir string) error {
	if s.isDurable(dir) {
		return nil
	}
	parent := filepath.Dir(dir)
	err := os.Mkdir(dir, dirMode)
	switch {
	case errors.Is(err, fs.ErrNotExist) && parent != dir:
		if err := s.makeDir(parent); err != nil {
			return err
		}
		if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	case errors.Is(err, fs.ErrExist):
		if info, err := os.Stat(dir); err != nil {
			return err
		} else if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
		}
		if len(dir) <= len(s.root) {
			s.remember(dir) // not ours: whoever made it saw to it, and we may not read what is above
			return nil
		}
	case err != nil:
		return err
	}
	if err := s.syncDir(parent); err != nil {
		return err
	}
	s.remember(dir)
	return nil
}

func (s *Store) isDurable(dir string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.durable[dir]
	return ok
}

func (s *Store) remember(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.durable) >= maxDurable {
		clear(s.durable)
	}
	s.durable[dir] = struct{}{}
}

// forget takes dir and the directories above it, up to the root, for unknown.
func (s *Store) forget(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(dir) > len(s.root) {
		delete(s.durable, dir)
		dir = filepath.Dir(dir)
	}
}

func (s *Store) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(d), d.Close())
}

// prune removes dir and the directories above it, up to the root, as far as they are empty.
func (s *Store) prune(dir string) {
	s.tree.Lock()
	defer s.tree.Unlock()
	for len(dir) > len(s.root) && os.Remove(dir) == nil {
		s.mu.Lock()
		delete(s.durable, dir)
		s.mu.Unlock()
		dir = filepath.Dir(dir)
	}
}
