package message

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// samples returns the messages in testdata.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages in testdata: %v", err)
	}
	all := make(map[string][]byte)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = raw
	}
	return all
}

// scanPieces scans a message in pieces whose sizes next returns.
func scanPieces(raw []byte, next func() int) *Structure {
	s := NewScanner()
	for len(raw) > 0 {
		n := min(max(next(), 1), len(raw))
		piece := bytes.Clone(raw[:n])
		if w, err := s.Write(piece); w != n || err != nil {
			panic(fmt.Sprintf("Write returned %d, %v", w, err))
		}
		clear(piece) // a Scanner must not refer to what it was given
		raw = raw[n:]
	}
	return s.Close()
}

// checkStructure checks what Part promises of every structure.
func checkStructure(raw []byte, s *Structure) error {
	if s.Size != int64(len(raw)) || s.Root.HeaderOffset != 0 || s.Root.End != s.Size {
		return fmt.Errorf("root %d..%d of a message of %d bytes, size %d", s.Root.HeaderOffset, s.Root.End, len(raw), s.Size)
	}
	parts := 0
	var check func(p *Part, path string, depth int) error
	check = func(p *Part, path string, depth int) error {
		parts++
		if p.HeaderOffset > p.BodyOffset || p.BodyOffset > p.End {
			return fmt.Errorf("%s: offsets %d %d %d", path, p.HeaderOffset, p.BodyOffset, p.End)
		}
		if n := bytes.Count(raw[p.HeaderOffset:p.BodyOffset], lineFeed); int64(n) != p.HeaderLines {
			return fmt.Errorf("%s: %d header lines, want %d", path, p.HeaderLines, n)
		}
		if n := bytes.Count(raw[p.BodyOffset:p.End], lineFeed); int64(n) != p.Lines {
			return fmt.Errorf("%s: %d lines, want %d", path, p.Lines, n)
		}
		if p.Type == "" || p.Subtype == "" || p.Encoding == "" {
			return fmt.Errorf("%s: type %q/%q, encoding %q", path, p.Type, p.Subtype, p.Encoding)
		}
		if p.isMessage() != (p.Envelope != nil) || p.isMessage() && len(p.Children) != 1 {
			return fmt.Errorf("%s: %s/%s with %d children", path, p.Type, p.Subtype, len(p.Children))
		}
		if !p.isMessage() && (p.Type == "multipart") != (len(p.Children) > 0) || depth > maxDepth {
			return fmt.Errorf("%s: %s/%s with %d children at depth %d", path, p.Type, p.Subtype, len(p.Children), depth)
		}
		from := p.BodyOffset
		for i := range p.Children {
			c := &p.Children[i]
			if c.HeaderOffset < from || c.End > p.End {
				return fmt.Errorf("%s.%d: %d..%d outside of %d..%d", path, i+1, c.HeaderOffset, c.End, from, p.End)
			}
			if err := check(c, fmt.Sprintf("%s.%d", path, i+1), depth+1); err != nil {
				return err
			}
			from = c.End
		}
		return nil
	}
	if err := check(&s.Root, "root", 0); err != nil {
		return err
	}
	if parts > maxParts {
		return fmt.Errorf("%d parts", parts)
	}
	kept := 0
	for _, f := range s.Fields {
		if !KeptField(f.Name) || !bytes.HasPrefix(f.Raw, []byte(f.Name)) {
			return fmt.Errorf("field %q kept as %q", f.Raw, f.Name)
		}
		if s.Complete() && !bytes.Contains(raw[:s.Root.BodyOffset], f.Raw) {
			return fmt.Errorf("field %q is not in the header", f.Raw)
		}
		kept += len(f.Raw)
	}
	if kept > maxHeader+4*len(s.Fields) {
		return fmt.Errorf("%d bytes of header kept", kept)
	}
	return nil
}

const testPrefix = "Return-Path: <a@example.org>\r\nX-Not-Kept: 1\r\nDelivered-To: b@example.org,\r\n c@example.org\r\n"

// checkMessage checks everything that holds for any bytes.
func checkMessage(raw []byte, seed uint64) error {
	want := Scan(bytes.Clone(raw))
	if err := checkStructure(raw, want); err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	for name, next := range map[string]func() int{
		"of one byte": func() int { return 1 },
		"of 1 to 5":   func() int { return 1 + rnd.IntN(5) },
		"of 1 to 200": func() int { return 1 + rnd.IntN(200) },
	} {
		if len(raw) > 1<<20 && name != "of 1 to 200" {
			continue
		}
		if got := scanPieces(raw, next); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("pieces %s (seed %d): got %s\nwant %s", name, seed, dump(got), dump(want))
		}
	}

	stored := want.Encode()
	got, err := Decode(stored, nil)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("decoded: got %s\nwant %s", dump(got), dump(want))
	}
	if again := got.Encode(); !bytes.Equal(again, stored) {
		return fmt.Errorf("encoded again: %x\nwant %x", again, stored)
	}
	if len(stored) > 2<<20 {
		return fmt.Errorf("stored form has %d bytes", len(stored))
	}

	for _, prefix := range []string{"", testPrefix} {
		all, err := Decode(stored, []byte(prefix))
		if err != nil {
			return err
		}
		if env, err := DecodeEnvelope(stored, []byte(prefix)); err != nil || !reflect.DeepEqual(env, &all.Envelope) {
			return fmt.Errorf("the envelope alone: %v, %w\nwant %s", env, err, dumpEnvelope(&all.Envelope))
		}
	}

	if len(raw) == 0 || raw[0] != ' ' && raw[0] != '\t' { // else the message continues the prefix's last field
		got, err := Decode(stored, []byte(testPrefix))
		if err != nil {
			return err
		}
		want := Scan(append([]byte(testPrefix), raw...))
		if want.Complete() && !reflect.DeepEqual(got, want) {
			return fmt.Errorf("behind a prefix: got %s\nwant %s", dump(got), dump(want))
		}
	}
	return nil
}

func dump(s *Structure) string {
	return fmt.Sprintf("%d bytes, complete %t, %q\n%s", s.Size, s.Complete(), s.Fields, dumpParts(s))
}

func dumpParts(s *Structure) string {
	var b strings.Builder
	var part func(p *Part, depth int)
	part = func(p *Part, depth int) {
		fmt.Fprintf(&b, "%s%d %d %d  %d %d  %s/%s %q %s", strings.Repeat("  ", depth), p.HeaderOffset, p.BodyOffset, p.End,
			p.HeaderLines, p.Lines, p.Type, p.Subtype, p.Params, p.Encoding)
		for _, kv := range [][2]string{
			{"disposition", p.Disposition}, {"id", p.ID}, {"description", p.Description}, {"md5", p.MD5}, {"location", p.Location},
		} {
			if kv[1] != "" {
				fmt.Fprintf(&b, " %s=%q", kv[0], kv[1])
			}
		}
		if len(p.DispositionParams) > 0 {
			fmt.Fprintf(&b, " %q", p.DispositionParams)
		}
		if len(p.Language) > 0 {
			fmt.Fprintf(&b, " language=%q", p.Language)
		}
		b.WriteByte('\n')
		if p.Envelope != nil {
			fmt.Fprintf(&b, "%s  %s\n", strings.Repeat("  ", depth), dumpEnvelope(p.Envelope))
		}
		for i := range p.Children {
			part(&p.Children[i], depth+1)
		}
	}
	fmt.Fprintln(&b, dumpEnvelope(&s.Envelope))
	part(&s.Root, 0)
	return b.String()
}

func dumpEnvelope(env *Envelope) string {
	return fmt.Sprintf("(%s %s %s %s %s %s %s %s %s %s)", nstring(env.Date), nstring(env.Subject), dumpAddresses(env.From),
		dumpAddresses(env.Sender), dumpAddresses(env.ReplyTo), dumpAddresses(env.To), dumpAddresses(env.Cc),
		dumpAddresses(env.Bcc), nstring(env.InReplyTo), nstring(env.MessageID))
}

func dumpAddresses(list []Address) string {
	if len(list) == 0 {
		return "NIL"
	}
	var b strings.Builder
	b.WriteByte('(')
	for _, a := range list {
		fmt.Fprintf(&b, "(%s %s %s %s)", nstring(a.Name), nstring(a.Route), nstring(a.Mailbox), nstring(a.Host))
	}
	b.WriteByte(')')
	return b.String()
}

func nstring(s *string) string {
	if s == nil {
		return "NIL"
	}
	return fmt.Sprintf("%q", *s)
}

// FuzzScan checks everything that holds for any bytes: pieces of all sizes give the same result, offsets are in order,
// the stored form reads back, a prefix shifts.
func FuzzScan(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw, uint64(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		if err := checkMessage(raw, seed); err != nil {
			t.Fatal(err)
		}
		if len(raw) < 3000 { // too short for any bound, which the reference does not know
			if err := compareReference(parseReference(raw), &Scan(raw).Root, "root"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzDecode checks that a corrupt stored form is an error and that what is not can be encoded again.
func FuzzDecode(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(Scan(raw).Encode(), []byte(testPrefix))
	}
	f.Fuzz(func(t *testing.T, stored, prefix []byte) {
		if bytes.Contains(bytes.ToLower(prefix), []byte("content-")) {
			return // what Decode asks not to be given
		}
		env, envErr := DecodeEnvelope(stored, prefix)
		s, err := Decode(stored, prefix)
		if err != nil {
			return
		}
		if envErr == nil && !reflect.DeepEqual(env, &s.Envelope) {
			t.Fatalf("the envelope alone is %s, not %s", dumpEnvelope(env), dumpEnvelope(&s.Envelope))
		}
		if s.Root.End > s.Size || s.Root.HeaderOffset != 0 {
			t.Fatalf("root ends at %d of %d", s.Root.End, s.Size)
		}
		s.PartByPath([]int{1, 1, 1})
		if _, err := Decode(s.Encode(), nil); err != nil {
			t.Fatalf("encoded again: %v", err)
		}
	})
}
