//go:build unix

package filestore

import (
	"os"
	"syscall"
)

// How to take a lock.
const (
	waitForLock = syscall.LOCK_EX
	tryLock     = syscall.LOCK_EX | syscall.LOCK_NB
)

// lockFile takes an exclusive lock that ends with the file's last descriptor, so with the process at the latest.
func lockFile(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}
