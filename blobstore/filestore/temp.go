package filestore

import (
	"errors"
	"os"
	"path/filepath"
)

const (
	tempName = ".tmp"
	lockName = "lock"
)

// tempDir is this Store's own directory for temporary files, below the one that all processes share. Its lock file tells
// other processes that it is in use.
type tempDir struct {
	path string
	lock *os.File
}

// openTempDir sweeps the shared directory and makes one of its own in it.
func openTempDir(shared string) (*tempDir, error) {
	if err := os.MkdirAll(shared, dirMode); err != nil {
		return nil, err
	}
	guard, err := os.OpenFile(filepath.Join(shared, lockName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	defer guard.Close()
	// One process at a time sweeps, so that nobody removes a directory that has just been made and is not locked yet.
	if err := lockFile(guard, waitForLock); err != nil {
		return nil, err
	}
	if err := sweep(shared); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(shared, "open-")
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	if err := lockFile(lock, tryLock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &tempDir{path: dir, lock: lock}, nil
}

// sweep removes the directories whose owner is dead.
func sweep(shared string) error {
	entries, err := os.ReadDir(shared)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(shared, e.Name())
		lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, fileMode)
		if err != nil {
			return err
		}
		if lockFile(lock, tryLock) == nil {
			err = os.RemoveAll(dir)
		}
		if err := errors.Join(err, lock.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (t *tempDir) file() (*os.File, error) {
	return os.CreateTemp(t.path, "put-")
}

func (t *tempDir) close() error {
	return errors.Join(os.RemoveAll(t.path), t.lock.Close())
}
