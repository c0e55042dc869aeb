package blobstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// Run tests the stores that open returns. Each call of open gives an empty store; Run closes it.
func Run(t *testing.T, open func(t *testing.T) blobstore.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s blobstore.Store)
	}{
		{"PutReadRange", testPutReadRange},
		{"PutEmpty", testPutEmpty},
		{"PutTwice", testPutTwice},
		{"PutDoesNotKeepData", testPutDoesNotKeepData},
		{"RangePastEnd", testRangePastEnd},
		{"NotFound", testNotFound},
		{"Stat", testStat},
		{"List", testList},
		{"ListManyPages", testListManyPages},
		{"ListStops", testListStops},
		{"ListWhileDeleting", testListWhileDeleting},
		{"Delete", testDelete},
		{"Create", testCreate},
		{"CreateEmpty", testCreateEmpty},
		{"CreateLarge", testCreateLarge},
		{"CreateAbort", testCreateAbort},
		{"InvalidKeys", testInvalidKeys},
		{"InvalidRanges", testInvalidRanges},
		{"EndedContext", testEndedContext},
		{"Concurrent", testConcurrent},
		{"Ping", testPing},
		{"Packs", testPacks},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			c.test(t, s)
		})
	}
}

// Bytes returns n bytes that do not compress, the same for the same seed.
func Bytes(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1], key[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func put(t *testing.T, s blobstore.Store, key string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, data); err != nil {
		t.Fatalf("Put(%s, %d bytes): %v", key, len(data), err)
	}
}

func wantBytes(t *testing.T, s blobstore.Store, key string, want []byte) {
	t.Helper()
	got, err := s.ReadRange(t.Context(), key, 0, int64(len(want)))
	if err != nil {
		t.Fatalf("ReadRange(%s): %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("ReadRange(%s): %d other bytes than were put", key, len(got))
	}
	info, err := s.Stat(t.Context(), key)
	if err != nil {
		t.Fatalf("Stat(%s): %v", key, err)
	}
	if info.Size != int64(len(want)) || info.Key != key {
		t.Fatalf("Stat(%s) = %+v, want %d bytes", key, info, len(want))
	}
}

func wantKind(t *testing.T, what string, err error, want mailerr.Kind) {
	t.Helper()
	var e *mailerr.Error
	if !errors.As(err, &e) || e.Kind != want {
		t.Errorf("%s: error %v, want a *mailerr.Error of kind %q", what, err, want)
	}
}

func keys(t *testing.T, s blobstore.Store, prefix string) []string {
	t.Helper()
	var got []string
	err := s.List(t.Context(), prefix, func(o blobstore.ObjectInfo) error {
		got = append(got, o.Key)
		return nil
	})
	if err != nil {
		t.Fatalf("List(%q): %v", prefix, err)
	}
	return got
}

func testPutReadRange(t *testing.T, s blobstore.Store) {
	data := Bytes(1, 100_000)
	put(t, s, "a/b", data)
	wantBytes(t, s, "a/b", data)
	for range 2 { // the second time perhaps from a cache
		for _, r := range [][2]int64{{0, 1}, {99_999, 1}, {5, 70_000}, {30_000, 1000}, {30_100, 100}, {0, 0}, {100_000, 0}} {
			got, err := s.ReadRange(t.Context(), "a/b", r[0], r[1])
			if err != nil {
				t.Fatalf("ReadRange%v: %v", r, err)
			}
			if !bytes.Equal(got, data[r[0]:r[0]+r[1]]) {
				t.Fatalf("ReadRange%v: wrong bytes", r)
			}
		}
	}
}

func testPutEmpty(t *testing.T, s blobstore.Store) {
	put(t, s, "empty", nil)
	wantBytes(t, s, "empty", []byte{})
	if got := keys(t, s, ""); !slices.Equal(got, []string{"empty"}) {
		t.Errorf("List = %q", got)
	}
}

func testPutTwice(t *testing.T, s blobstore.Store) {
	data := Bytes(2, 5000)
	put(t, s, "k", data)
	put(t, s, "k", data)
	wantBytes(t, s, "k", data)
}

func testPutDoesNotKeepData(t *testing.T, s blobstore.Store) {
	want := Bytes(3, 5000)
	data := bytes.Clone(want)
	put(t, s, "k", data)
	clear(data)
	wantBytes(t, s, "k", want)
	got, err := s.ReadRange(t.Context(), "k", 0, 5000)
	if err != nil {
		t.Fatal(err)
	}
	clear(got) // the caller's own
	wantBytes(t, s, "k", want)
}

func testRangePastEnd(t *testing.T, s blobstore.Store) {
	put(t, s, "k", Bytes(4, 1000))
	for _, r := range [][2]int64{{0, 1001}, {999, 2}, {1000, 1}, {5000, 1}, {1001, 0}} {
		got, err := s.ReadRange(t.Context(), "k", r[0], r[1])
		if len(got) > 0 {
			t.Errorf("ReadRange%v returned %d bytes", r, len(got))
		}
		if err == nil && r[1] == 0 {
			continue // nothing was asked for; a store need not look
		}
		wantKind(t, fmt.Sprintf("ReadRange%v", r), err, mailerr.Internal)
	}
}

func testNotFound(t *testing.T, s blobstore.Store) {
	put(t, s, "dir/there", []byte("x"))
	for _, key := range []string{"missing", "dir/missing", "dir", "none/at/all"} {
		_, err := s.ReadRange(t.Context(), key, 0, 1)
		wantKind(t, "ReadRange "+key, err, mailerr.NotFound)
		_, err = s.Stat(t.Context(), key)
		wantKind(t, "Stat "+key, err, mailerr.NotFound)
	}
	if got := keys(t, s, "none/"); len(got) != 0 {
		t.Errorf("List of a prefix without objects = %q", got)
	}
}

func testStat(t *testing.T, s blobstore.Store) {
	before := time.Now().Add(-time.Minute)
	put(t, s, "a/b/c", Bytes(5, 12345))
	info, err := s.Stat(t.Context(), "a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	if info.Key != "a/b/c" || info.Size != 12345 || info.Modified.Before(before) || info.Modified.After(time.Now().Add(time.Minute)) {
		t.Errorf("Stat = %+v", info)
	}
}

func testList(t *testing.T, s blobstore.Store) {
	all := []string{"a-", "a.x/1", "a/1", "a/2/x", "a/2/y", "a0/1", "b", "packs/20261123/1530/x", "packs/20261123/1531/x", "packs/20261124/0000/x"}
	for i := range all {
		put(t, s, all[len(all)-1-i], Bytes(uint64(i), i+1))
	}
	for _, prefix := range []string{"", "a", "a/", "a/2", "a/2/", "a/2/x", "a.", "packs/20261123/", "packs/2026112", "packs/20261123/1531/x", "c", "b/"} {
		var want []string
		for _, k := range all {
			if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
				want = append(want, k)
			}
		}
		if got := keys(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
	}
	err := s.List(t.Context(), "packs/20261124", func(o blobstore.ObjectInfo) error {
		if o.Size != 1 || time.Since(o.Modified).Abs() > time.Hour {
			t.Errorf("List gives %+v", o)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// testListManyPages has more objects than S3 lists in one answer.
func testListManyPages(t *testing.T, s blobstore.Store) {
	if testing.Short() {
		t.Skip("1,100 objects")
	}
	var wg sync.WaitGroup
	var want []string
	work := make(chan string)
	for range 8 {
		wg.Go(func() {
			for key := range work {
				if err := s.Put(t.Context(), key, []byte("x")); err != nil {
					t.Errorf("Put: %v", err)
				}
			}
		})
	}
	for i := range 1100 {
		want = append(want, fmt.Sprintf("many/%02d/%04d", i/100, i))
		work <- want[i]
	}
	close(work)
	wg.Wait()
	if got := keys(t, s, "many/"); !slices.Equal(got, want) {
		t.Errorf("List gives %d keys, want %d, or another order", len(got), len(want))
	}
}

func testListStops(t *testing.T, s blobstore.Store) {
	for _, k := range []string{"a", "b", "c"} {
		put(t, s, k, []byte(k))
	}
	stop := errors.New("enough")
	n := 0
	err := s.List(t.Context(), "", func(blobstore.ObjectInfo) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 2 {
		t.Errorf("List: %v after %d objects, want %v after 2", err, n, stop)
	}
}

func testListWhileDeleting(t *testing.T, s blobstore.Store) {
	for i := range 20 {
		put(t, s, fmt.Sprintf("d/%d/%02d", i/10, i), []byte("x"))
	}
	n := 0
	err := s.List(t.Context(), "d/", func(o blobstore.ObjectInfo) error {
		n++
		return s.Delete(t.Context(), o.Key)
	})
	if err != nil || n != 20 {
		t.Errorf("List while deleting: %v after %d objects, want 20", err, n)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

func testDelete(t *testing.T, s blobstore.Store) {
	put(t, s, "a/b/c", []byte("x"))
	put(t, s, "a/b/d", []byte("y"))
	wantBytes(t, s, "a/b/c", []byte("x"))
	for _, k := range []string{"a/b/c", "a/b/c", "a/b", "never/was"} {
		if err := s.Delete(t.Context(), k); err != nil {
			t.Errorf("Delete(%s): %v", k, err)
		}
	}
	_, err := s.Stat(t.Context(), "a/b/c")
	wantKind(t, "Stat after Delete", err, mailerr.NotFound)
	_, err = s.ReadRange(t.Context(), "a/b/c", 0, 1)
	wantKind(t, "ReadRange after Delete", err, mailerr.NotFound)
	wantBytes(t, s, "a/b/d", []byte("y"))
	put(t, s, "a/b/c", []byte("z"))
	wantBytes(t, s, "a/b/c", []byte("z"))
}

func create(t *testing.T, s blobstore.Store, key string) blobstore.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatalf("Create(%s): %v", key, err)
	}
	return u
}

func testCreate(t *testing.T, s blobstore.Store) {
	data := Bytes(6, 50_000)
	u := create(t, s, "up/load")
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 777)
		if got, err := u.Write(rest[:n]); err != nil || got != n {
			t.Fatalf("Write = %d, %v", got, err)
		}
		rest = rest[n:]
	}
	if _, err := s.Stat(t.Context(), "up/load"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("Stat before Commit: %v, want NotFound", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("List before Commit: %q", got)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	wantBytes(t, s, "up/load", data)
}

func testCreateEmpty(t *testing.T, s blobstore.Store) {
	if err := create(t, s, "empty").Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	wantBytes(t, s, "empty", []byte{})
}

func testCreateLarge(t *testing.T, s blobstore.Store) {
	if testing.Short() {
		t.Skip("40 MB")
	}
	data := Bytes(7, 40<<20+12345)
	u := create(t, s, "large")
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 300_000)
		if _, err := u.Write(rest[:n]); err != nil {
			t.Fatalf("Write: %v", err)
		}
		rest = rest[n:]
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	wantBytes(t, s, "large", data)
}

func testCreateAbort(t *testing.T, s blobstore.Store) {
	for _, n := range []int{0, 1000, 20 << 20} {
		if n > 1<<20 && testing.Short() {
			continue
		}
		u := create(t, s, "gone")
		if _, err := u.Write(make([]byte, n)); err != nil {
			t.Fatalf("Write: %v", err)
		}
		u.Abort(t.Context())
	}
	// An upload whose context has ended can be aborted as well.
	ctx, cancel := context.WithCancel(t.Context())
	u, err := s.Create(ctx, "gone")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	u.Abort(ctx)
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("after Abort: %q", got)
	}
}

func testInvalidKeys(t *testing.T, s blobstore.Store) {
	long := string(bytes.Repeat([]byte("x"), 2000))
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".tmp/x", "a/.b", "a\x00b", "a b", "ä", "a\nb", "a\\b", long} {
		wantKind(t, fmt.Sprintf("Put(%.20q)", key), s.Put(t.Context(), key, []byte("x")), mailerr.Invalid)
		u, err := s.Create(t.Context(), key)
		if err == nil {
			u.Abort(t.Context())
		}
		wantKind(t, fmt.Sprintf("Create(%.20q)", key), err, mailerr.Invalid)
		_, err = s.ReadRange(t.Context(), key, 0, 1)
		wantKind(t, fmt.Sprintf("ReadRange(%.20q)", key), err, mailerr.Invalid)
		_, err = s.Stat(t.Context(), key)
		wantKind(t, fmt.Sprintf("Stat(%.20q)", key), err, mailerr.Invalid)
		wantKind(t, fmt.Sprintf("Delete(%.20q)", key), s.Delete(t.Context(), key), mailerr.Invalid)
	}
	none := func(blobstore.ObjectInfo) error { return errors.New("called") }
	wantKind(t, "List", s.List(t.Context(), "../", none), mailerr.Invalid)
}

func testInvalidRanges(t *testing.T, s blobstore.Store) {
	put(t, s, "k", []byte("0123456789"))
	for _, r := range [][2]int64{{-1, 2}, {0, -1}, {1, 1<<63 - 1}} {
		_, err := s.ReadRange(t.Context(), "k", r[0], r[1])
		wantKind(t, fmt.Sprintf("ReadRange%v", r), err, mailerr.Invalid)
	}
}

func testEndedContext(t *testing.T, s blobstore.Store) {
	put(t, s, "k", []byte("x"))
	u := create(t, s, "u")
	if _, err := u.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantKind(t, "Put", s.Put(ctx, "new", []byte("x")), mailerr.Unavailable)
	_, err := s.Stat(ctx, "k")
	wantKind(t, "Stat", err, mailerr.Unavailable)
	wantKind(t, "Delete", s.Delete(ctx, "k"), mailerr.Unavailable)
	wantKind(t, "List", s.List(ctx, "", func(blobstore.ObjectInfo) error { return nil }), mailerr.Unavailable)
	wantKind(t, "Ping", s.Ping(ctx), mailerr.Unavailable)
	wantKind(t, "Commit", u.Commit(ctx), mailerr.Unavailable)
	if got := keys(t, s, ""); !slices.Equal(got, []string{"k"}) {
		t.Errorf("left: %q", got)
	}
}

func testConcurrent(t *testing.T, s blobstore.Store) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				key := fmt.Sprintf("c/%d/%d", i, g)
				data := Bytes(uint64(g*100+i), 2000+i)
				if err := s.Put(t.Context(), key, data); err != nil {
					t.Errorf("Put: %v", err)
					return
				}
				got, err := s.ReadRange(t.Context(), key, 10, 500)
				if err != nil || !bytes.Equal(got, data[10:510]) {
					t.Errorf("ReadRange: %v or wrong bytes", err)
				}
				if i%2 == 0 {
					if err := s.Delete(t.Context(), key); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := keys(t, s, "c/"); len(got) != 40 {
		t.Errorf("%d objects, want 40", len(got))
	}
}

func testPing(t *testing.T, s blobstore.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("Ping leaves %q", got)
	}
}

func testPacks(t *testing.T, s blobstore.Store) {
	small := Bytes(8, 3000)
	large := bytes.Repeat(Bytes(9, 1000), 2000)
	b := blobstore.NewBuilder(blobstore.PackID{1})
	loc := b.Add(blobstore.Compress(small), blobstore.Entry{Body: blobstore.BodyID{1}})
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	u, err := blobstore.CreatePack(t.Context(), s, blobstore.PackID{2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(large); err != nil {
		t.Fatal(err)
	}
	loc2, _, err := u.Commit(t.Context(), blobstore.Entry{Body: blobstore.BodyID{2}})
	if err != nil {
		t.Fatal(err)
	}
	r := blobstore.NewReader(s, blobstore.ReaderOptions{})
	for _, c := range []struct {
		loc  blobstore.Location
		want []byte
	}{{loc, small}, {loc2, large}} {
		got := make([]byte, len(c.want)+1)
		n, err := r.ReadAt(t.Context(), c.loc, got, 0)
		if !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], c.want) {
			t.Errorf("ReadAt: %d bytes, %v", n, err)
		}
		if entries, err := blobstore.VerifyPack(t.Context(), s, c.loc.Pack); err != nil || len(entries) != 1 {
			t.Errorf("VerifyPack: %d entries, %v", len(entries), err)
		}
	}
}
