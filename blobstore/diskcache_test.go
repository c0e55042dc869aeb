package blobstore_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func diskCache(t *testing.T, s blobstore.Store, dir string, size int64) *blobstore.DiskCache {
	t.Helper()
	c, err := blobstore.NewDiskCache(s, blobstore.DiskCacheOptions{Dir: dir, Bytes: size})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// files returns the paths and the sizes of all files below dir.
func files(t *testing.T, dir string) (paths []string, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		paths, size = append(paths, path), size+info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths, size
}

func wantRange(t *testing.T, s blobstore.Store, key string, data []byte, offset, length int64) {
	t.Helper()
	got, err := s.ReadRange(t.Context(), key, offset, length)
	if err != nil || !bytes.Equal(got, data[offset:offset+length]) {
		t.Fatalf("ReadRange(%s, %d, %d): %v or wrong bytes", key, offset, length, err)
	}
}

func TestDiskCacheConformance(t *testing.T) {
	blobstoretest.Run(t, func(t *testing.T) blobstore.Store {
		return diskCache(t, blobstoretest.NewMemory(), filepath.Join(t.TempDir(), "a", "b"), 10<<20)
	})
}

func TestDiskCacheHits(t *testing.T) {
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	data := blobstoretest.Bytes(1, 100_000)
	m.SetObject("k", data)
	c := diskCache(t, m, dir, 10<<20)
	wantRange(t, c, "k", data, 1000, 50_000)
	wantRange(t, c, "k", data, 1000, 50_000)
	wantRange(t, c, "k", data, 20_000, 10)
	if n := len(m.Ranges()); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
	wantRange(t, c, "k", data, 999, 2)    // begins before
	wantRange(t, c, "k", data, 50_999, 2) // ends behind
	if n := len(m.Ranges()); n != 2 {
		t.Errorf("%d reads, want 2", n)
	}
	wantRange(t, c, "k", data, 0, 100_000) // covers all
	if paths, _ := files(t, dir); len(paths) != 1 {
		t.Errorf("%d files, want 1", len(paths))
	}
	m.Ranges()

	// Another one takes the files up.
	again := diskCache(t, m, dir, 10<<20)
	wantRange(t, again, "k", data, 5, 50)
	if n := len(m.Ranges()); n != 0 {
		t.Errorf("%d reads after a restart, want 0", n)
	}
	if s := again.Stats(); s.Hits != 1 || s.Misses != 0 || s.Bytes < 100_000 {
		t.Errorf("Stats = %+v", s)
	}
}

func TestDiskCacheIsBounded(t *testing.T) {
	const bound = 1 << 20
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	data := blobstoretest.Bytes(1, 4<<20)
	m.SetObject("k", data)
	c := diskCache(t, m, dir, bound)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		off := r.Int64N(3 << 20)
		wantRange(t, c, "k", data, off, 1+r.Int64N(bound/4))
		if _, size := files(t, dir); size > bound {
			t.Fatalf("%d bytes in files", size)
		}
	}
	// The one used last survives the others.
	wantRange(t, c, "k", data, 0, 100)
	for i := range int64(100) {
		wantRange(t, c, "k", data, 3<<20+i*9000, 9000)
		wantRange(t, c, "k", data, 0, 100)
	}
	m.Ranges()
	wantRange(t, c, "k", data, 0, 100)
	if n := len(m.Ranges()); n != 0 {
		t.Error("what is used all the time was thrown out")
	}
	smaller := diskCache(t, m, dir, bound/2)
	if _, size := files(t, dir); size > bound/2 || smaller.Stats().Bytes > bound/2 {
		t.Errorf("%d bytes in files after a restart with half the room", size)
	}
}

// TestDiskCacheDamage damages, cuts, mixes up and removes files while they are in use.
func TestDiskCacheDamage(t *testing.T) {
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	data := blobstoretest.Bytes(1, 2000)
	m.SetObject("k", data)
	m.SetObject("other", blobstoretest.Bytes(2, 2000))
	for name, damage := range map[string]func(path string, content []byte) error{
		"flip":   func(p string, b []byte) error { b[700] ^= 1; return os.WriteFile(p, b, 0o600) },
		"sum":    func(p string, b []byte) error { b[len(b)-1] ^= 1; return os.WriteFile(p, b, 0o600) },
		"cut":    func(p string, b []byte) error { return os.WriteFile(p, b[:500], 0o600) },
		"empty":  func(p string, b []byte) error { return os.WriteFile(p, nil, 0o600) },
		"more":   func(p string, b []byte) error { return os.WriteFile(p, append(b, 0), 0o600) },
		"remove": func(p string, _ []byte) error { return os.Remove(p) },
		"wipe":   func(string, []byte) error { return os.RemoveAll(dir) },
		"directory": func(p string, _ []byte) error {
			if err := os.Remove(p); err != nil {
				return err
			}
			return os.Mkdir(p, 0o700)
		},
	} {
		for _, restart := range []bool{false, true} {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			c := diskCache(t, m, dir, 1<<20)
			wantRange(t, c, "k", data, 100, 1000)
			paths, _ := files(t, dir)
			if len(paths) != 1 {
				t.Fatalf("%d files", len(paths))
			}
			content, err := os.ReadFile(paths[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(paths[0], content); err != nil {
				t.Fatal(err)
			}
			if restart {
				c = diskCache(t, m, dir, 1<<20)
			}
			m.Ranges()
			wantRange(t, c, "k", data, 100, 1000)
			if n := len(m.Ranges()); n != 1 {
				t.Errorf("%s: %d reads, want 1", name, n)
			}
			wantRange(t, c, "k", data, 100, 1000)
			if n := len(m.Ranges()); n != 0 && name != "directory" {
				t.Errorf("%s: not cached again", name)
			}
		}
	}
}

func TestDiskCacheFilesOfOthers(t *testing.T) {
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	a, b := blobstoretest.Bytes(1, 2000), blobstoretest.Bytes(2, 2000)
	m.SetObject("a", a)
	m.SetObject("b", b)
	c := diskCache(t, m, dir, 1<<20)
	wantRange(t, c, "a", a, 0, 1000)
	pathsA, _ := files(t, dir)
	wantRange(t, c, "b", b, 0, 1000)
	both, _ := files(t, dir)
	for _, p := range both {
		if p == pathsA[0] {
			continue
		}
		if err := os.Rename(p, pathsA[0]); err != nil { // b's bytes under a's name
			t.Fatal(err)
		}
	}
	wantRange(t, c, "a", a, 0, 1000)
	wantRange(t, c, "b", b, 0, 1000)
}

func TestDiskCacheForgetsDeletedObjects(t *testing.T) {
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	c := diskCache(t, m, dir, 1<<20)
	m.SetObject("k", make([]byte, 1000))
	wantRange(t, c, "k", make([]byte, 1000), 0, 1000)
	if err := c.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadRange(t.Context(), "k", 0, 1000); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("ReadRange: %v, want NotFound", err)
	}
	if paths, _ := files(t, dir); len(paths) != 0 {
		t.Errorf("left: %v", paths)
	}
}

func TestDiskCacheWipedWhileRunning(t *testing.T) {
	m, dir := blobstoretest.NewMemory(), t.TempDir()
	data := blobstoretest.Bytes(1, 1<<20)
	m.SetObject("k", data)
	c := diskCache(t, m, dir, 256<<10)
	var readers, wiper sync.WaitGroup
	stop := make(chan struct{})
	wiper.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				entries, _ := os.ReadDir(dir)
				for _, e := range entries {
					_ = os.RemoveAll(filepath.Join(dir, e.Name()))
				}
			}
		}
	})
	for g := range 4 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for range 300 {
				off := r.Int64N(40) * 20_000
				got, err := c.ReadRange(t.Context(), "k", off, 20_000)
				if err != nil || !bytes.Equal(got, data[off:off+20_000]) {
					t.Errorf("ReadRange: %v or wrong bytes", err)
					return
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	wiper.Wait()
}

func TestDiskCacheUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := blobstore.NewDiskCache(blobstoretest.NewMemory(), blobstore.DiskCacheOptions{Dir: file, Bytes: 1 << 20})
	if !mailerr.Is(err, mailerr.Internal) {
		t.Errorf("NewDiskCache: %v, want Internal", err)
	}
}
