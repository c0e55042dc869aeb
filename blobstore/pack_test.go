package blobstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

const F = blobstore.FrameSize

// text returns n bytes that compress about as mail does.
func text(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	words := []string{"Received: ", "from ", "the ", "mail ", "rookery ", "\r\n", "Subject: ", "and ", "message ", "=20"}
	b := make([]byte, 0, n+16)
	for len(b) < n {
		if r.IntN(4) == 0 {
			b = fmt.Appendf(b, "%x ", r.Uint32())
		}
		b = append(b, words[r.IntN(len(words))]...)
	}
	return b[:n]
}

func id(n byte) (id blobstore.PackID) {
	t := time.Date(2026, 11, 23, 15, 30, 59, 0, time.UTC).UnixMilli()
	for i := range 6 {
		id[i] = byte(t >> (40 - 8*i))
	}
	id[15] = n
	return id
}

func TestPackKey(t *testing.T) {
	key := blobstore.PackKey(id(7))
	if want := "packs/20261123/1530/019ab1578cb800000000000000000007"; len(key) != len(want) || key[:20] != want[:20] || key[50:] != want[50:] {
		t.Errorf("PackKey = %s", key)
	}
	if got, ok := blobstore.ParsePackKey(key); !ok || got != id(7) {
		t.Errorf("ParsePackKey = %x, %v", got, ok)
	}
	for _, bad := range []string{"", "x", key + "0", key[1:], "packs/20261123/1531/" + key[20:]} {
		if _, ok := blobstore.ParsePackKey(bad); ok {
			t.Errorf("ParsePackKey(%q) is ok", bad)
		}
	}
}

func entry(n byte) blobstore.Entry {
	return blobstore.Entry{
		Body: blobstore.BodyID{n, 1}, Account: blobstore.OwnerID{n, 2}, Mailbox: blobstore.OwnerID{n, 3}, UID: uint32(n),
		InternalDate: time.Date(2026, 1, 2, 3, 4, int(n), 5000, time.UTC), Prefix: fmt.Appendf(nil, "Delivered-To: <user%d@localhost>\r\n", n),
	}
}

func TestFooterGivesEntriesBack(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	var want []blobstore.Entry
	for i, size := range []int{100, 0, F, F + 1, 3*F + 17} {
		owners := []blobstore.Entry{entry(byte(2 * i)), entry(byte(2*i + 1))}
		loc := b.Add(blobstore.Compress(text(uint64(i), size)), owners...)
		if owners[0].Location.Offset != loc.Offset || owners[1].Location.Size != int64(size) {
			t.Errorf("Add did not fill in Entry.Location")
		}
		want = append(want, owners...)
	}
	before := b.Len()
	size, err := b.Put(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if n := int64(len(s.Object(blobstore.PackKey(id(1))))); n != size || before >= size {
		t.Errorf("Put says %d bytes after %d, the object has %d", size, before, n)
	}
	for name, read := range map[string]func() ([]blobstore.Entry, error){
		"ReadFooter": func() ([]blobstore.Entry, error) { return blobstore.ReadFooter(t.Context(), s, id(1)) },
		"VerifyPack": func() ([]blobstore.Entry, error) { return blobstore.VerifyPack(t.Context(), s, id(1)) },
	} {
		got, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d entries, want %d", name, len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i].Location.Frames, want[i].Location.Frames) {
				t.Errorf("%s: frames of entry %d differ", name, i)
			}
			got[i].Location.Frames = want[i].Location.Frames // nil and empty are the same
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s: entry %d\n got %+v\nwant %+v", name, i, got[i], want[i])
			}
		}
	}
}

func TestFooterOfManyOwners(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	owners := make([]blobstore.Entry, 20_000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range owners {
		owners[i] = entry(byte(i))
		for j := range owners[i].Account {
			owners[i].Account[j] = byte(r.Uint32())
		}
	}
	b.Add(blobstore.Compress([]byte("to all")), owners...)
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got, err := blobstore.ReadFooter(t.Context(), s, id(1))
	if err != nil || len(got) != len(owners) || got[19_999].Account != owners[19_999].Account {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if n := len(s.Ranges()); n != 2 {
		t.Errorf("%d ranges, want 2", n)
	}
}

// TestFooterCostsOneRange for usual packs.
func TestFooterCostsOneRange(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	for i := range 512 {
		b.Add(blobstore.Compress(text(uint64(i), 4000)), entry(byte(i)))
	}
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := blobstore.ReadFooter(t.Context(), s, id(1)); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Ranges()); n != 1 {
		t.Errorf("%d ranges, want 1", n)
	}
}

// TestRoundTrip puts random bodies into packs of both kinds and reads random ranges.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := blobstoretest.NewMemory()
		size := rapid.OneOf(rapid.IntRange(0, 5000), rapid.IntRange(F-2, F+2), rapid.IntRange(2*F-1, 2*F+1), rapid.IntRange(0, 5*F))
		var bodies [][]byte
		var locs []blobstore.Location
		b := blobstore.NewBuilder(id(1))
		for i := range rapid.IntRange(0, 5).Draw(t, "bodies") {
			body := text(uint64(i), size.Draw(t, "size"))
			if rapid.Bool().Draw(t, "random bytes") {
				body = blobstoretest.Bytes(uint64(i), len(body))
			}
			bodies = append(bodies, body)
			locs = append(locs, b.Add(blobstore.Compress(body), entry(byte(i))))
		}
		if _, err := b.Put(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		streamed := text(99, size.Draw(t, "streamed"))
		u, err := blobstore.CreatePack(t.Context(), s, id(2))
		if err != nil {
			t.Fatal(err)
		}
		for rest := streamed; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, F+F/2).Draw(t, "write"))
			if got, err := u.Write(rest[:n]); err != nil || got != n {
				t.Fatalf("Write = %d, %v", got, err)
			}
			rest = rest[n:]
		}
		loc, packSize, err := u.Commit(t.Context(), entry(9))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Object(blobstore.PackKey(id(2)))); int64(n) != packSize {
			t.Fatalf("Commit says %d bytes, the object has %d", packSize, n)
		}
		bodies, locs = append(bodies, streamed), append(locs, loc)

		r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: rapid.SampledFrom([]int64{0, 1000, F * 2, 64 << 20}).Draw(t, "cache")})
		if rapid.Bool().Draw(t, "prefetch") {
			r.Prefetch(t.Context(), locs)
		}
		for range 10 {
			i := rapid.IntRange(0, len(bodies)-1).Draw(t, "body")
			body := bodies[i]
			off := rapid.IntRange(0, len(body)+10).Draw(t, "offset")
			p := make([]byte, rapid.IntRange(0, len(body)+10).Draw(t, "length"))
			n, err := r.ReadAt(t.Context(), locs[i], p, int64(off))
			want := body[min(off, len(body)):]
			want = want[:min(len(want), len(p))]
			if !bytes.Equal(p[:n], want) {
				t.Fatalf("ReadAt(%d, %d) of %d bytes: %d other bytes", off, len(p), len(body), n)
			}
			if n < len(p) && !errors.Is(err, io.EOF) || n == len(p) && err != nil {
				t.Fatalf("ReadAt: %d of %d bytes, %v", n, len(p), err)
			}
		}
	})
}

// smallPack returns a pack of a few bodies.
func smallPack(t testing.TB, s *blobstoretest.Memory) (bodies [][]byte, locs []blobstore.Location, entries []blobstore.Entry) {
	b := blobstore.NewBuilder(id(1))
	for i, body := range [][]byte{text(1, 300), nil, blobstoretest.Bytes(2, 100), text(3, 500)} {
		bodies = append(bodies, body)
		entries = append(entries, entry(byte(i)))
		locs = append(locs, b.Add(blobstore.Compress(body), entries[i:]...))
	}
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return bodies, locs, entries
}

// TestDamageIsDetected flips every bit of every byte of a pack and cuts it at every length: the pack as a whole must be
// refused, and reading a body must give its bytes or an Internal error.
func TestDamageIsDetected(t *testing.T) {
	s := blobstoretest.NewMemory()
	bodies, locs, _ := smallPack(t, s)
	key := blobstore.PackKey(id(1))
	good := s.Object(key)
	check := func(what string) {
		if _, err := blobstore.VerifyPack(t.Context(), s, id(1)); !mailerr.Is(err, mailerr.Internal) {
			t.Fatalf("%s: VerifyPack: %v, want Internal", what, err)
		}
		r := blobstore.NewReader(s, blobstore.ReaderOptions{})
		for i, loc := range locs {
			p := make([]byte, len(bodies[i]))
			n, err := r.ReadAt(t.Context(), loc, p, 0)
			if err == nil && !bytes.Equal(p[:n], bodies[i]) {
				t.Fatalf("%s: body %d read as other bytes", what, i)
			}
			if err != nil && !mailerr.Is(err, mailerr.Internal) {
				t.Fatalf("%s: body %d: %v, want Internal", what, i, err)
			}
		}
	}
	for i := range good {
		for _, mask := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			bad := bytes.Clone(good)
			bad[i] ^= mask
			s.SetObject(key, bad)
			check(fmt.Sprintf("byte %d of %d ^ %#x", i, len(good), mask))
		}
	}
	for n := range good {
		s.SetObject(key, good[:n])
		check(fmt.Sprintf("cut at %d of %d", n, len(good)))
	}
	s.SetObject(key, append(bytes.Clone(good), 0))
	check("a byte more")
	s.SetObject(key, append(bytes.Clone(good), good...))
	check("twice")
	s.SetObject(key, good)
	if _, err := blobstore.VerifyPack(t.Context(), s, id(1)); err != nil {
		t.Fatal(err)
	}
}

func TestFooterDamageIsDetectedFromTheEnd(t *testing.T) {
	s := blobstoretest.NewMemory()
	_, locs, _ := smallPack(t, s)
	key := blobstore.PackKey(id(1))
	good := s.Object(key)
	last := locs[len(locs)-1]
	for i := last.Offset + last.Length; i < int64(len(good)); i++ {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		s.SetObject(key, bad)
		if _, err := blobstore.ReadFooter(t.Context(), s, id(1)); !mailerr.Is(err, mailerr.Internal) {
			t.Fatalf("byte %d: %v, want Internal", i, err)
		}
	}
	// Another pack's bytes under this key.
	s.SetObject(blobstore.PackKey(id(2)), good)
	if _, err := blobstore.ReadFooter(t.Context(), s, id(2)); !mailerr.Is(err, mailerr.Internal) {
		t.Errorf("another pack: %v, want Internal", err)
	}
	if _, err := blobstore.ReadFooter(t.Context(), s, id(3)); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("no pack: %v, want NotFound", err)
	}
}

// TestWrongLocationIsDetected: metadata that does not fit the pack gives an error, never a panic or other content.
func TestWrongLocationIsDetected(t *testing.T) {
	s := blobstoretest.NewMemory()
	b := blobstore.NewBuilder(id(1))
	body := text(1, 3*F)
	loc := b.Add(blobstore.Compress(body), entry(1))
	if _, err := b.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*blobstore.Location){
		"offset":          func(l *blobstore.Location) { l.Offset++ },
		"offset 0":        func(l *blobstore.Location) { l.Offset = 0 },
		"offset huge":     func(l *blobstore.Location) { l.Offset = 1<<63 - 1 },
		"length":          func(l *blobstore.Location) { l.Length-- },
		"length negative": func(l *blobstore.Location) { l.Length = -1 },
		"size less":       func(l *blobstore.Location) { l.Size-- },
		"size more":       func(l *blobstore.Location) { l.Size++ },
		"size huge":       func(l *blobstore.Location) { l.Size = 1<<63 - 1 },
		"frames missing":  func(l *blobstore.Location) { l.Frames = nil },
		"frames torn":     func(l *blobstore.Location) { l.Frames = l.Frames[:1] },
		"frames more":     func(l *blobstore.Location) { l.Frames = append(bytes.Clone(l.Frames), 1) },
		"frames other":    func(l *blobstore.Location) { l.Frames = bytes.Clone(l.Frames); l.Frames[0]++ },
	} {
		for _, cache := range []int64{0, 1 << 20} {
			r := blobstore.NewReader(s, blobstore.ReaderOptions{CacheBytes: cache})
			p := make([]byte, len(body))
			if cache > 0 { // so that the right frames are cached
				if _, err := r.ReadAt(t.Context(), loc, p, 0); err != nil {
					t.Fatal(err)
				}
			}
			wrong := loc
			change(&wrong)
			n, err := r.ReadAt(t.Context(), wrong, p, 0)
			if cached := err == nil && cache > 0 && bytes.Equal(p[:n], body); !cached && !mailerr.Is(err, mailerr.Internal) {
				t.Errorf("%s: %v after %d bytes, want Internal", name, err, n)
			}
			r.Prefetch(t.Context(), []blobstore.Location{wrong})
		}
	}
}

func TestIncompressibleDataDoesNotBlowUp(t *testing.T) {
	for _, n := range []int{1, 100, F, 4 * F} {
		c := blobstore.Compress(blobstoretest.Bytes(1, n))
		if over := len(c.Data) - n; over > 32*(1+n/F) {
			t.Errorf("%d bytes more for %d random bytes", over, n)
		}
	}
}

func TestFrameWriterEqualsCompress(t *testing.T) {
	body := text(1, 2*F+1000)
	var buf bytes.Buffer
	w := blobstore.NewFrameWriter(&buf)
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 100_003)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if w.Size() != int64(len(body)) {
		t.Errorf("Size before Close = %d", w.Size())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := blobstore.Compress(body)
	if !bytes.Equal(buf.Bytes(), c.Data) || !bytes.Equal(w.Frames(), c.Frames) || w.Size() != c.Size || w.Length() != int64(len(c.Data)) {
		t.Error("FrameWriter and Compress differ")
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("Write after Close succeeds")
	}
}
