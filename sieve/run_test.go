package sieve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

func mustCompile(t *testing.T, script string) *sieve.Script {
	t.Helper()
	s, err := sieve.Compile(script, sieve.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func input(raw string) sieve.Input {
	return sieve.Input{
		Message: strings.NewReader(raw), Size: int64(len(raw)),
		Envelope: sieve.Envelope{From: "sender@example.com", To: "user@example.org"},
	}
}

// failingHost is a host in trouble.
type failingHost struct {
	sieve.NoHost
	err error
}

func (h failingHost) MailboxExists(context.Context, string) (bool, error) { return false, h.err }

// Trouble of the host's is an error with its kind, never a decision about the message.
func TestTroubleOfTheHost(t *testing.T) {
	s := mustCompile(t, `require ["mailbox", "fileinto"]; if mailboxexists "x" { fileinto "x"; } else { discard; }`)
	r, err := s.Run(context.Background(), failingHost{err: mailerr.New("db", mailerr.Unavailable, "")}, input("A: b\r\n\r\n"))
	if r != nil || !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = s.Run(context.Background(), failingHost{err: errors.New("odd")}, input("A: b\r\n\r\n"))
	if r != nil || !mailerr.Is(err, mailerr.Internal) {
		t.Errorf("%+v, %v", r, err)
	}
}

// brokenReader fails behind its first bytes.
type brokenReader struct{ good string }

func (b brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b.good)) {
		return 0, errors.New("disk on fire")
	}
	n := copy(p, b.good[off:])
	if n < len(p) {
		return n, errors.New("disk on fire")
	}
	return n, nil
}

func TestTroubleOfTheReader(t *testing.T) {
	for _, script := range []string{
		`require "body"; if body :contains "x" { discard; }`, `if header "a" "b" { discard; }`,
		`require "editheader"; addheader "x" "y";`, `require ["foreverypart", "mime"]; foreverypart { if exists :mime "x" { discard; } }`,
	} {
		in := input("")
		in.Message, in.Size = brokenReader{"A: b\r\nC"}, 5000
		r, err := mustCompile(t, script).Run(context.Background(), sieve.NoHost{}, in)
		if r != nil || err == nil || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
		in.Message = strings.NewReader("A: b\r\n\r\nshort")
		if r, err := mustCompile(t, script).Run(context.Background(), sieve.NoHost{}, in); r == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	script := strings.Repeat("if header \"a\" \"b\" { stop; }\n", 3000)
	r, err := mustCompile(t, script).Run(ctx, sieve.NoHost{}, input("A: c\r\n\r\n"))
	if r != nil || !errors.Is(err, context.Canceled) || !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A script runs in many goroutines at once.
func TestConcurrentRuns(t *testing.T) {
	s := mustCompile(t, hundredRules())
	edit := mustCompile(t, `require ["editheader", "variables", "regex", "foreverypart", "mime", "replace"];
if header :regex "subject" "(.*)" { set "s" "${1}"; } addheader "X-S" "${s}";
foreverypart { replace "new"; }`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			raw := strings.Replace(benchMessage, "Subject: ", fmt.Sprintf("Subject: n%d ", i), 1)
			for range 20 {
				r, err := sieve.RunAll(context.Background(), sieve.NoHost{}, input(raw), s, edit)
				if err != nil || r.Failure != nil || !r.Message.Edited() {
					t.Errorf("%+v, %v", r, err)
					return
				}
				head, _ := io.ReadAll(io.LimitReader(r.Message.Reader(), 30))
				if !bytes.Contains(head, fmt.Appendf(nil, "n%d ", i)) && !bytes.Contains(head, []byte("=?utf-8?B?")) {
					t.Errorf("%d: %s", i, head)
				}
			}
		})
	}
	wg.Wait()
}

// Whatever the header is, the fields that the script sees are those that package message sees, and edits change no others.
func TestHeaderAgreesWithMessage(t *testing.T) {
	s := mustCompile(t, `require "editheader"; addheader "X-New" "1"; addheader :last "X-Last" "2";`)
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			"Subject: a\r\n", "To: b@c\n", " folded\r\n", "\tfolded\n", "From x\r\n", "no field\r\n", "X-Spam-Flag : y\r\n", "\r\n", "\n", "\r\r\n",
			": empty\r\n", "Reply-To:\r\n", "Cc: \x00\r\n", "body", "List-Id: x\r\n y\r\n",
		}), 0, 10).Draw(t, "lines")
		raw := strings.Join(lines, "")
		r, err := s.Run(context.Background(), sieve.NoHost{}, input(raw))
		if err != nil || r.Failure != nil {
			t.Fatalf("%+v, %v", r, err)
		}
		edited, err := io.ReadAll(r.Message.Reader())
		if err != nil {
			t.Fatal(err)
		}
		before, after := message.Scan([]byte(raw)), message.Scan(edited)
		if len(before.Fields) != len(after.Fields) {
			t.Fatalf("%q has %d fields, %q has %d", raw, len(before.Fields), edited, len(after.Fields))
		}
		for i := range before.Fields {
			if before.Fields[i].Name != after.Fields[i].Name || before.Fields[i].Value() != after.Fields[i].Value() {
				t.Fatalf("%q became %q: %q", raw, edited, after.Fields[i].Raw)
			}
		}
		oldBody, newBody := raw[before.Root.BodyOffset:], string(edited[after.Root.BodyOffset:])
		if oldBody != newBody {
			t.Fatalf("the body %q became %q", oldBody, newBody)
		}
	})
}

// Reads at any place agree with the whole.
func TestMessageReadAt(t *testing.T) {
	s := mustCompile(t, `require ["editheader", "enclose", "replace", "foreverypart"];
addheader "A" "1"; foreverypart { replace "x"; } enclose "y"; addheader :last "B" "2";`)
	r, err := s.Run(context.Background(), sieve.NoHost{}, input(benchMessage))
	if err != nil || r.Failure != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	whole, err := io.ReadAll(r.Message.Reader())
	if err != nil || int64(len(whole)) != r.Message.Size() {
		t.Fatal(len(whole), r.Message.Size(), err)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(whole)+5).Draw(t, "from")
		buf := make([]byte, rapid.IntRange(0, len(whole)).Draw(t, "n"))
		n, err := r.Message.ReadAt(buf, int64(from))
		want := whole[min(from, len(whole)):min(from+len(buf), len(whole))]
		if !bytes.Equal(buf[:n], want) || errors.Is(err, io.EOF) != (n < len(buf)) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	})
}

// What is made to be slow ends with a Failure soon.
func TestHostileScripts(t *testing.T) {
	big := "Subject: " + strings.Repeat("a", 60000) + "\r\n\r\n" + strings.Repeat("a", 2<<20)
	many := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\nA: b\r\n\r\n\r\n", 9000)
	keys := `["` + strings.Repeat(`x","`, 5000) + `x"]`
	for name, c := range map[string]struct{ script, msg string }{
		"contains":     {`require "body"; if body :raw :contains ` + keys + ` { stop; }`, big},
		"matches":      {`require "body"; if body :raw :matches ["` + strings.Repeat("*a?", 80) + `b*", "` + strings.Repeat("*?a", 80) + `*b"] { stop; }`, big},
		"regex":        {`require ["body", "regex"]; if body :raw :regex "(a?){200}a{200}b" { stop; }`, big},
		"unicode":      {`require ["body", "comparator-i;unicode-casemap"]; if body :raw :contains :comparator "i;unicode-casemap" ` + keys + ` { stop; }`, big},
		"parts":        {`require ["mime"]; ` + strings.Repeat(`if exists :mime :anychild "x" { stop; }`, 500), many},
		"loops":        {`require ["foreverypart", "mime"]; foreverypart { if header :mime :anychild "A" ` + keys + ` { stop; } }`, many},
		"doubling":     {`require "variables"; set "a" "aaaaaaaaaaaaaaaa"; ` + strings.Repeat(`set "a" "${a}${a}"; set :lower :quotewildcard "b" "${a}";`, 3000), big},
		"many edits":   {`require ["editheader"]; ` + strings.Repeat(`addheader "a" "b"; keep;`, 250), strings.Repeat("A:\r\n", 100000) + "\r\n"},
		"own includes": {`require "include"; include "x"; include "x";`, big},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sieve.Compile(c.script, sieve.Options{Name: "x"})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			r, err := s.Run(context.Background(), &testHost{scripts: []*sieve.Script{s}}, input(c.msg))
			if err != nil || len(r.Actions) == 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			t.Logf("%v, %d steps, %v", time.Since(began), r.Steps, r.Failure)
		})
	}
}
