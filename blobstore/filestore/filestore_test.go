package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	blobstoretest.Run(t, func(t *testing.T) blobstore.Store { return open(t, filepath.Join(t.TempDir(), "a", "b")) })
}

func TestOpenSweepsWhatDeadProcessesLeft(t *testing.T) {
	root := t.TempDir()
	left := filepath.Join(root, tempName, "open-dead")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{lockName, "put-1"} {
		if err := os.WriteFile(filepath.Join(left, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := open(t, root)
	defer first.Close()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not swept: %v", err)
	}

	// A second Open leaves what the first has in hand.
	u, err := first.Create(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, root)
	defer second.Close()
	if _, err := u.Write([]byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := second.ReadRange(t.Context(), "k", 0, 4); err != nil || string(got) != "body" {
		t.Errorf("ReadRange = %q, %v", got, err)
	}
}

func TestCloseLeavesNoTemporaryFiles(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	u, err := s.Create(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); !mailerr.Is(err, mailerr.Internal) {
		t.Errorf("Commit after Close: %v, want Internal", err)
	}
	entries, err := os.ReadDir(filepath.Join(root, tempName))
	if err != nil || len(entries) != 1 || entries[0].Name() != lockName {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestDeleteRemovesEmptyDirectories(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	defer s.Close()
	for _, k := range []string{"packs/1/1/a", "packs/1/1/b", "packs/2/1/a"} {
		if err := s.Put(t.Context(), k, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []string{"packs/1/1/a", "packs/1/1/b"} {
		if err := s.Delete(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, "packs"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "2" {
		t.Errorf("packs has %v, %v", entries, err)
	}
	if err := s.Put(t.Context(), "packs/1/1/c", []byte("x")); err != nil {
		t.Errorf("Put into a removed directory: %v", err)
	}
}

// TestSyncs proves the order that durability rests on: the file is synced before it has its name, and every directory that
// got a new entry is synced before Put returns.
func TestSyncs(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	defer s.Close()
	var synced []string
	var key string
	s.sync = func(f *os.File) error {
		rel, err := filepath.Rel(root, f.Name())
		if err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(rel, tempName) {
			rel = "temporary file"
			if _, err := os.Stat(s.path(key)); err == nil && len(synced) == 0 {
				t.Error("visible before it was synced")
			}
		}
		synced = append(synced, rel)
		return f.Sync()
	}
	for _, c := range []struct{ key, want string }{
		{"a/b/k1", "temporary file, ., a, a/b"},
		{"a/b/k2", "temporary file, a/b"},
	} {
		synced, key = nil, c.key
		if err := s.Put(t.Context(), c.key, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(synced, ", "); got != c.want {
			t.Errorf("Put(%s) synced %s, want %s", c.key, got, c.want)
		}
	}
}

func TestFailedSyncMakesNoObject(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	defer s.Close()
	s.sync = func(*os.File) error { return syscall.ENOSPC }
	if err := s.Put(t.Context(), "k", []byte("x")); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("Put on a full disk: %v, want Unavailable", err)
	}
	s.sync = (*os.File).Sync
	if _, err := s.Stat(t.Context(), "k"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("Stat: %v, want NotFound", err)
	}
	files, err := os.ReadDir(s.temp.path)
	if err != nil || len(files) != 1 {
		t.Errorf("temporary files left: %v, %v", files, err)
	}
}

func TestSymlinkIsNoObject(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	defer s.Close()
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	err := s.List(t.Context(), "", func(o blobstore.ObjectInfo) error { return errors.New(o.Key) })
	if err != nil {
		t.Errorf("List follows a link: %v", err)
	}
}
