package sieve_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

// seeds adds the scripts and messages of testdata.
func seeds(f *testing.F, add func(script, msg string)) {
	files, err := filepath.Glob("testdata/*.svtest")
	if err != nil {
		f.Fatal(err)
	}
	msg := ""
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range strings.Split(string(raw), "\n=== ") {
			head, body, _ := strings.Cut(s, "\n")
			if strings.HasPrefix(head, "message") {
				msg = body
			}
			if strings.HasPrefix(head, "script") {
				add(body, msg)
			}
		}
	}
}

// FuzzCompile proves that every text compiles or is refused with positions inside of it.
func FuzzCompile(f *testing.F) {
	seeds(f, func(script, _ string) { f.Add(script) })
	f.Fuzz(func(t *testing.T, script string) {
		_, err := sieve.Compile(script, sieve.Options{})
		if err == nil {
			return
		}
		var wrong *sieve.CompileError
		if !errors.As(err, &wrong) {
			t.Fatal(err)
		}
		problems := wrong.Problems
		if len(problems) == 0 {
			t.Fatal("no problem")
		}
		lines := strings.Count(script, "\n") + 1
		for _, p := range problems {
			if p.Text == "" || strings.ContainsAny(p.Text, "\r\n") || p.Pos.Line < 0 || p.Pos.Line > lines || p.Pos.Column > len(script)+1 {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// FuzzRun proves that what compiles runs on every message, within its limits, and loses no message.
func FuzzRun(f *testing.F) {
	seeds(f, func(script, msg string) { f.Add(script, msg) })
	f.Fuzz(func(t *testing.T, script, msg string) {
		limits := sieve.Limits{Steps: 50_000, TotalBodyBytes: 1 << 20}
		s, err := sieve.Compile(script, sieve.Options{Limits: limits})
		if err != nil {
			return
		}
		host := &testHost{mailboxes: []string{"INBOX"}, scripts: []*sieve.Script{s},
			lists: []string{"tag:a a@example.com", "tag:a Lunch", ":addrbook:default sender@example.com", "tag:empty"}}
		in := sieve.Input{
			Message: strings.NewReader(msg), Size: int64(len(msg)),
			Envelope: sieve.Envelope{From: "sender@example.com", To: "user@example.org"},
		}
		r, err := s.Run(context.Background(), host, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Actions) == 0 {
			t.Fatal("no action: the message is lost")
		}
		for _, a := range r.Actions {
			check(t, a)
		}
		again, err := s.Run(context.Background(), host, in)
		if err != nil || len(again.Actions) != len(r.Actions) || again.Steps != r.Steps {
			t.Fatalf("the second run differs: %v", err)
		}
	})
}

// check reads what an action holds.
func check(t *testing.T, a sieve.Action) {
	g := sieve.Generator{Host: "mx.example.org", ID: "1"}
	var m *sieve.Message
	var out *sieve.Outgoing
	switch a := a.(type) {
	case *sieve.Keep:
		m = a.Message
	case *sieve.FileInto:
		m = a.Message
	case *sieve.Redirect:
		m = a.Message
	case *sieve.Reject:
		var err error
		if out, err = a.Outgoing(g); err != nil {
			t.Fatal(err)
		}
	case *sieve.Vacation:
		out = a.Outgoing(g)
	case *sieve.Notify:
		out = a.Outgoing(g)
	}
	if m != nil {
		if n, err := io.Copy(io.Discard, m.Reader()); err != nil || n != m.Size() {
			t.Fatalf("%d bytes of %d: %v", n, m.Size(), err)
		}
	}
	if out == nil {
		return
	}
	scanned := message.Scan(out.Data)
	if len(out.Recipients) == 0 || scanned.Envelope.Date == nil || len(scanned.Envelope.From) == 0 {
		t.Fatalf("an incomplete message:\n%s", out.Data)
	}
	auto := 0
	for _, f := range scanned.Fields {
		if strings.EqualFold(f.Name, "Auto-Submitted") {
			auto++
		}
	}
	if auto != 1 || strings.Contains(strings.ReplaceAll(string(out.Data), "\r\n", ""), "\n") {
		t.Fatalf("not a proper message:\n%q", out.Data)
	}
}
