package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// dataDirLock keeps two servers from sharing one data_dir. The system releases it when the process ends, however it ends.
type dataDirLock struct{ f *os.File }

// lockDataDir makes data_dir if it is missing and locks it. Commands of the administrator do not: they may run beside a server.
func lockDataDir(dir string) (*dataDirLock, error) {
	if err := makeDataDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data_dir %s is in use by another rookery; give this one its own (ROOKERY_DATA_DIR)", dir)
		}
		return nil, fmt.Errorf("data_dir: locking %s: %w", path, err)
	}
	return &dataDirLock{f}, nil
}

func (l *dataDirLock) release() {
	if l != nil {
		_ = l.f.Close()
	}
}

func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data_dir cannot be made: %w", err)
	}
	return nil
}
