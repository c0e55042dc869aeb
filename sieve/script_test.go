package sieve_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

var rewrite = flag.Bool("rewrite", false, "write the expected results of testdata/*.svtest anew")

// The files of testdata are sequences of sections, each begun by a line "=== name [argument]":
//
//	=== test WHAT        begins a test; what follows up to the next one belongs to it
//	=== script [NAME]    a script; several run one after another, "include NAME" and "include :global NAME" can be included
//	=== message          the message, from here on for all tests of the file until another one
//	=== set              lines "name value": envelope.from, env.location, mailbox Name, list Name value ...
//	=== expect           what the run came to, rewritten by -rewrite
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.svtest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".svtest"), func(t *testing.T) { runFile(t, file) })
	}
}

type section struct{ kind, arg, text string }

func readSections(t *testing.T, file string) []section {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []section
	for _, line := range strings.SplitAfter(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "=== "); ok {
			kind, arg, _ := strings.Cut(strings.TrimSpace(rest), " ")
			out = append(out, section{kind: kind, arg: arg})
		} else if len(out) > 0 {
			out[len(out)-1].text += line
		} else if strings.TrimSpace(line) != "" {
			out = append(out, section{kind: "comment", text: line})
		}
	}
	return out
}

func runFile(t *testing.T, file string) {
	sections := readSections(t, file)
	msg := "From: a@example.com\n\nbody\n"
	for i := 0; i < len(sections); i++ {
		if sections[i].kind == "message" {
			msg = sections[i].text
		}
		if sections[i].kind != "test" {
			continue
		}
		c := &scriptCase{host: testHost{mailboxes: []string{"INBOX"}}}
		expect := -1
		end := i + 1
		for ; end < len(sections) && sections[end].kind != "test"; end++ {
			s := sections[end]
			switch s.kind {
			case "script":
				c.scripts = append(c.scripts, s)
			case "message":
				msg = s.text
			case "set":
				c.set += s.text
			case "expect":
				expect = end
			default:
				t.Fatalf("%s: no section %q", file, s.kind)
			}
		}
		c.message = msg
		t.Run(sections[i].arg, func(t *testing.T) {
			got := c.run(t)
			if *rewrite {
				if expect < 0 {
					t.Fatal("no section expect")
				}
				sections[expect].text = got
			} else if expect < 0 || strings.TrimSpace(got) != strings.TrimSpace(sections[expect].text) {
				want := ""
				if expect >= 0 {
					want = sections[expect].text
				}
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
		i = end - 1
	}
	if *rewrite {
		var out strings.Builder
		for _, s := range sections {
			if s.kind != "comment" {
				fmt.Fprintln(&out, strings.TrimSpace("=== "+s.kind+" "+s.arg))
			}
			out.WriteString(s.text)
			if !strings.HasSuffix(s.text, "\n") && s.text != "" {
				out.WriteString("\n")
			}
			if s.kind == "expect" {
				out.WriteString("\n")
			}
		}
		text := strings.ReplaceAll(out.String(), "\n\n\n", "\n\n")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// scriptCase is a test of a file.
type scriptCase struct {
	scripts []section
	message string
	set     string
	host    testHost
}

func (c *scriptCase) run(t *testing.T) string {
	raw := strings.ReplaceAll(strings.TrimSuffix(c.message, "\n"), "\n", "\r\n") + "\r\n"
	in := sieve.Input{
		Message: strings.NewReader(raw), Size: int64(len(raw)),
		Envelope: sieve.Envelope{From: "sender@example.com", To: "user@example.org"},
	}
	var opts sieve.Options
	c.host.now = time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)
	show := map[string]bool{}
	for line := range strings.Lines(c.set) {
		c.apply(t, strings.TrimSpace(line), &in, &opts, show)
	}
	var scripts []*sieve.Script
	var out strings.Builder
	for _, s := range c.scripts {
		opts.Name = s.arg
		compiled, err := sieve.Compile(s.text, opts)
		if err != nil {
			var problems *sieve.CompileError
			if !errors.As(err, &problems) {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, err)
			continue
		}
		for _, w := range compiled.Warnings() {
			fmt.Fprintf(&out, "warning: %v\n", w)
		}
		if name, ok := strings.CutPrefix(s.arg, "include "); ok {
			opts.Name = name
			if compiled, err = sieve.Compile(s.text, opts); err != nil {
				t.Fatal(err)
			}
			c.host.scripts = append(c.host.scripts, compiled)
			continue
		}
		scripts = append(scripts, compiled)
	}
	if out.Len() > 0 && len(scripts) == 0 {
		return out.String()
	}
	r, err := sieve.RunAll(context.Background(), &c.host, in, scripts...)
	if err != nil {
		return out.String() + "error: " + err.Error() + "\n"
	}
	out.WriteString(describe(t, r, show))
	if show["unchanged"] && r.Message.Edited() {
		t.Error("the message was edited")
	}
	return out.String()
}

func (c *scriptCase) apply(t *testing.T, line string, in *sieve.Input, opts *sieve.Options, show map[string]bool) {
	name, value, _ := strings.Cut(line, " ")
	if env, ok := strings.CutPrefix(name, "env."); ok {
		if in.Environment == nil {
			in.Environment = map[string]string{}
		}
		in.Environment[env] = value
		return
	}
	switch name {
	case "":
	case "envelope.from":
		in.Envelope.From = value
	case "envelope.to":
		in.Envelope.To = value
	case "addresses":
		in.Addresses = strings.Fields(value)
	case "delimiter":
		in.Delimiter = value
	case "extensions":
		opts.Extensions = strings.Fields(value)
	case "flags":
		in.Flags = strings.Fields(value)
	case "spam":
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		in.Spam = &f
	case "virus":
		in.Virus, _ = strconv.Atoi(value)
	case "event":
		f := strings.Fields(value)
		in.Event = &sieve.Event{Cause: f[0], Mailbox: f[1], User: "user", Email: "user@example.org", ChangedFlags: f[2:]}
		in.Envelope = sieve.Envelope{Absent: true}
	case "mailbox":
		c.host.mailboxes = append(c.host.mailboxes, value)
	case "mailboxid":
		c.host.ids = append(c.host.ids, value)
	case "specialuse":
		c.host.uses = append(c.host.uses, value)
	case "metadata":
		c.host.metadata = append(c.host.metadata, value)
	case "list":
		c.host.lists = append(c.host.lists, value)
	case "seen":
		c.host.seen = append(c.host.seen, value)
	case "now":
		now, err := time.Parse(time.RFC3339, value)
		if err != nil {
			t.Fatal(err)
		}
		c.host.now = now
	case "steps":
		opts.Limits.Steps, _ = strconv.Atoi(value)
	case "limit":
		what, n, _ := strings.Cut(value, " ")
		v, _ := strconv.Atoi(n)
		switch what {
		case "redirects":
			opts.Limits.Redirects = v
		case "actions":
			opts.Limits.Actions = v
		case "body":
			opts.Limits.BodyBytes = v
		case "totalbody":
			opts.Limits.TotalBodyBytes = int64(v)
		case "headeredits":
			opts.Limits.HeaderEdits = v
		default:
			t.Fatalf("no limit %q", what)
		}
	case "show":
		show[value] = true
	default:
		t.Fatalf("cannot set %q", name)
	}
}

// testHost answers from lists.
type testHost struct {
	sieve.NoHost
	now       time.Time
	mailboxes []string
	ids       []string
	uses      []string // "\Use" or "\Use mailbox"
	metadata  []string // "mailbox annotation value"
	lists     []string // "list" or "list value"
	seen      []string // "handle value"
	scripts   []*sieve.Script
}

func (h *testHost) Now() time.Time { return h.now }

func (h *testHost) MailboxExists(_ context.Context, name string) (bool, error) {
	return slices.Contains(h.mailboxes, name), nil
}

func (h *testHost) MailboxIDExists(_ context.Context, id string) (bool, error) {
	return slices.Contains(h.ids, id), nil
}

func (h *testHost) SpecialUseExists(_ context.Context, mailbox, use string) (bool, error) {
	for _, u := range h.uses {
		have, box, _ := strings.Cut(u, " ")
		if strings.EqualFold(have, use) && (mailbox == "" || mailbox == box) {
			return true, nil
		}
	}
	return false, nil
}

func (h *testHost) Metadata(_ context.Context, mailbox, annotation string) (string, bool, error) {
	if mailbox == "" {
		mailbox = "-"
	}
	for _, m := range h.metadata {
		if v, ok := strings.CutPrefix(m, mailbox+" "+annotation+" "); ok {
			return v, true, nil
		}
	}
	return "", false, nil
}

func (h *testHost) List(_ context.Context, list string) (*sieve.List, bool, error) {
	var members []string
	found := false
	for _, l := range h.lists {
		name, member, _ := strings.Cut(l, " ")
		if name, _ = sieve.CanonicalList(name); name != list {
			continue
		}
		if found = true; member == "unreadable" {
			return nil, false, &sieve.ListError{Text: "it is gone"}
		}
		if member != "" {
			members = append(members, member)
		}
	}
	if !found {
		return nil, false, nil
	}
	return sieve.NewList(members, nil), !strings.HasPrefix(list, "tag:closed"), nil
}

func (h *testHost) Duplicate(_ context.Context, id sieve.DuplicateID) (bool, error) {
	return slices.Contains(h.seen, strings.TrimSpace(id.Handle+" "+id.Value)), nil
}

func (h *testHost) Include(_ context.Context, location sieve.IncludeLocation, name string) (*sieve.Script, error) {
	if location == sieve.IncludeGlobal {
		name = ":global " + name
	}
	for _, s := range h.scripts {
		if s.Name() == name {
			return s, nil
		}
	}
	return nil, nil
}

func (h *testHost) NotifyMethod(_ context.Context, uri string) (string, bool, error) {
	return "maybe", strings.HasPrefix(uri, "xmpp:"), nil
}

// describe says what a result is, one line an action.
func describe(t *testing.T, r *sieve.Result, show map[string]bool) string {
	var out strings.Builder
	for _, a := range r.Actions {
		out.WriteString(describeAction(a))
		out.WriteByte('\n')
	}
	for _, d := range r.Duplicates {
		fmt.Fprintf(&out, "remember %q %q for %v\n", d.ID.Handle, d.ID.Value, d.For)
	}
	if r.NoAnswer != "" {
		fmt.Fprintf(&out, "no answer: %s\n", r.NoAnswer)
	}
	if r.Failure != nil {
		fmt.Fprintf(&out, "failure: %v\n", r.Failure)
	}
	if show["message"] {
		for _, a := range r.Actions {
			if k, ok := a.(*sieve.Keep); ok {
				out.WriteString("kept message:\n" + readMessage(t, k.Message))
			}
		}
	}
	if show["stored"] {
		for _, a := range r.Actions {
			if k, ok := a.(*sieve.FileInto); ok {
				out.WriteString("stored in " + k.Mailbox + ":\n" + readMessage(t, k.Message))
			}
		}
	}
	return out.String()
}

func readMessage(t *testing.T, m *sieve.Message) string {
	raw := make([]byte, m.Size())
	if _, err := m.Reader().Read(raw); err != nil && m.Size() > 0 {
		t.Fatal(err)
	}
	if s := message.Scan(raw); s.Size != m.Size() {
		t.Errorf("size %d", s.Size)
	}
	var out strings.Builder
	for line := range strings.Lines(string(raw)) {
		out.WriteString("| " + strings.TrimRight(line, "\r\n") + "\n")
	}
	return strings.ReplaceAll(out.String(), "| \n", "|\n")
}

func describeAction(a sieve.Action) string {
	words := []string{}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	flags := func(f []string) {
		if len(f) > 0 {
			add("flags [%s]", strings.Join(f, " "))
		}
	}
	switch a := a.(type) {
	case *sieve.Keep:
		add("keep")
		if a.Implicit {
			add("(implicit)")
		}
		flags(a.Flags)
	case *sieve.FileInto:
		add("fileinto %q", a.Mailbox)
		if a.MailboxID != "" {
			add("id %q", a.MailboxID)
		}
		if a.SpecialUse != "" {
			add("use %s", a.SpecialUse)
		}
		if a.Create {
			add("create")
		}
		if a.Copy {
			add("copy")
		}
		flags(a.Flags)
	case *sieve.Redirect:
		add("redirect")
		add("%q", a.Address)
		if a.List != "" {
			add("list %q", a.List)
		}
		if a.Copy {
			add("copy")
		}
	case *sieve.Reject:
		if a.Extended {
			add("ereject %q", a.Reason)
		} else {
			add("reject %q", a.Reason)
		}
	case *sieve.Discard:
		add("discard")
	case *sieve.Vacation:
		add("vacation to %q interval %v subject %q", a.Recipient, a.Interval, a.Subject)
		if a.From != "" {
			add("from %q", a.From)
		}
		if a.MIME {
			add("mime")
		}
		add("reason %q", a.Reason)
		if a.FCC != nil {
			add("fcc %q", a.FCC.Mailbox)
			if a.FCC.Create {
				add("create")
			}
			if a.FCC.SpecialUse != "" {
				add("use %s", a.FCC.SpecialUse)
			}
			flags(a.FCC.Flags)
		}
	case *sieve.Notify:
		add("notify %q importance %d", a.Method.String(), a.Importance)
		if a.From != "" {
			add("from %q", a.From)
		}
		if len(a.Options) > 0 {
			add("options %q", a.Options)
		}
		if a.Text != "" {
			add("text %q", a.Text)
		}
		if a.FCC != nil {
			add("fcc %q", a.FCC.Mailbox)
			if a.FCC.MailboxID != "" {
				add("id %q", a.FCC.MailboxID)
			}
		}
	default:
		add("%T", a)
	}
	return strings.Join(words, " ")
}
