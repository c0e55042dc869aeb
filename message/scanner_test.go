package message

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what was found beside the messages in testdata")

// TestSamples compares what is found in each message of testdata with the file of the same name that a person has read.
func TestSamples(t *testing.T) {
	for name, raw := range samples(t) {
		if err := checkMessage(raw, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s := Scan(raw)
		if err := compareReference(parseReference(raw), &s.Root, "root"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		file := "testdata/" + strings.TrimSuffix(name, ".eml") + ".txt"
		got := dumpParts(s)
		if *rewrite {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
}

func TestSlicesOfTheMessage(t *testing.T) {
	raw := samples(t)["rfc3501-6.4.5.eml"]
	s := Scan(raw)
	for _, test := range []struct {
		path              []int
		typ, header, body string
	}{
		{[]int{1}, "text/plain", "Content-Type: text/plain\r\n\r\n", "part 1"},
		{[]int{2}, "application/octet-stream", "Content-Type: application/octet-stream\r\n\r\n", "part 2"},
		{[]int{3, 1}, "text/plain", "Content-Type: text/plain\r\n\r\n", "part 3.1"},
		{[]int{3, 2}, "application/octet-stream", "Content-Type: application/octet-stream\r\n\r\n", "part 3.2"},
		{[]int{4, 1}, "image/gif", "Content-Type: image/gif\r\nContent-ID: <4.1@example.org>\r\n\r\n", "part 4.1"},
		{[]int{4, 2, 1}, "text/plain", "Content-Type: text/plain\r\n\r\n", "part 4.2.1"},
		{[]int{4, 2, 2, 1}, "text/plain", "Content-Type: text/plain\r\n\r\n", "part 4.2.2.1"},
		{[]int{4, 2, 2, 2}, "text/richtext", "Content-Type: text/richtext\r\n\r\n", "part 4.2.2.2"},
	} {
		p := s.PartByPath(test.path)
		if p == nil {
			t.Errorf("%v: no part", test.path)
			continue
		}
		header, body := string(raw[p.HeaderOffset:p.BodyOffset]), string(raw[p.BodyOffset:p.End])
		if p.Type+"/"+p.Subtype != test.typ || header != test.header || body != test.body {
			t.Errorf("%v: got %s/%s %q %q", test.path, p.Type, p.Subtype, header, body)
		}
	}
	for _, test := range []struct {
		path []int
		typ  string
	}{
		{nil, "multipart/mixed"}, {[]int{3}, "message/rfc822"}, {[]int{4}, "multipart/mixed"},
		{[]int{4, 2}, "message/rfc822"}, {[]int{4, 2, 2}, "multipart/alternative"},
	} {
		if p := s.PartByPath(test.path); p == nil || p.Type+"/"+p.Subtype != test.typ {
			t.Errorf("%v: got %+v, want %s", test.path, p, test.typ)
		}
	}
	if p := s.PartByPath([]int{4, 2}); *p.Envelope.Subject != "part 4.2" {
		t.Errorf("envelope of 4.2: %s", dumpEnvelope(p.Envelope))
	}
	for _, path := range [][]int{{0}, {-1}, {5}, {1, 1}, {2, 1}, {3, 3}, {3, 1, 1}, {4, 3}, {4, 2, 2, 3}, {4, 2, 2, 1, 1}} {
		if p := s.PartByPath(path); p != nil {
			t.Errorf("%v: got %s/%s, want none", path, p.Type, p.Subtype)
		}
	}
}

func TestPartNumbersWithoutMultipart(t *testing.T) {
	all := samples(t)
	simple := Scan(all["simple.eml"])
	if simple.PartByPath([]int{1}) != &simple.Root || simple.PartByPath([]int{1, 1}) != nil || simple.PartByPath([]int{2}) != nil {
		t.Error("1 is the only part of a simple message")
	}
	embedded := Scan(all["rfc822-of-text.eml"])
	inner := &embedded.Root.Children[1].Children[0]
	if embedded.PartByPath([]int{2, 1}) != inner || embedded.PartByPath([]int{2, 1, 1}) != nil || embedded.PartByPath([]int{2, 2}) != nil {
		t.Error("2.1 is the only part of an embedded simple message")
	}
	single := Scan(all["single-rfc822.eml"])
	if single.PartByPath([]int{1}) != &single.Root || single.PartByPath([]int{1, 1}) != &single.Root.Children[0] ||
		single.PartByPath([]int{1, 1, 1}) != nil {
		t.Error("1 is the embedded message, 1.1 its text")
	}
}

func TestDepthIsBounded(t *testing.T) {
	var b bytes.Buffer
	const depth = 10_000
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("\r\ntext\r\n")
	for i := range depth {
		fmt.Fprintf(&b, "--b%d--\r\n", depth-1-i)
	}
	raw := b.Bytes()
	if err := checkMessage(raw, 1); err != nil {
		t.Fatal(err)
	}
	s := Scan(raw)
	p, levels := &s.Root, 0
	for ; len(p.Children) > 0; levels++ {
		p = &p.Children[0]
	}
	if levels != maxDepth || p.Type != "application" || p.Subtype != "octet-stream" {
		t.Errorf("%d levels, then %s/%s", levels, p.Type, p.Subtype)
	}

	raw = bytes.Repeat([]byte("Content-Type: message/rfc822\r\n\r\n"), depth)
	if err := checkMessage(raw, 1); err != nil {
		t.Fatal(err)
	}
}

func TestPartsAreBounded(t *testing.T) {
	raw := []byte("Content-Type: multipart/digest; boundary=b\r\n\r\n" +
		strings.Repeat("--b\r\n\r\nSubject: a subject that takes some room\r\nTo: a@b, c@d, e@f\r\n\r\ntext\r\n", maxParts) + "--b--\r\n")
	if err := checkMessage(raw, 1); err != nil {
		t.Fatal(err)
	}
	s := Scan(raw)
	parts := 1
	for _, c := range s.Root.Children {
		parts += 1 + len(c.Children)
	}
	last := s.Root.Children[len(s.Root.Children)-1]
	if parts != maxParts || last.End != s.Size {
		t.Errorf("%d parts, the last ends at %d of %d", parts, last.End, s.Size)
	}
	if last.Type != "application" {
		t.Errorf("the last part is %s/%s: there was no room for the message in it", last.Type, last.Subtype)
	}
	if first := s.Root.Children[0].Envelope; first.Subject == nil || len(first.To) != 3 {
		t.Errorf("first envelope %s", dumpEnvelope(first))
	}
}

func TestNestedHeadersAreBounded(t *testing.T) {
	field := "Content-Description: " + strings.Repeat("x", 1000) + "\r\n"
	raw := []byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
		strings.Repeat("--b\r\nContent-Type: image/png; name=x\r\n"+field+"\r\n", 2000) + "--b--\r\n")
	if err := checkMessage(raw, 1); err != nil {
		t.Fatal(err)
	}
	s := Scan(raw)
	first, last := s.Root.Children[0], s.Root.Children[1999]
	if len(first.Description) != 1000 || len(first.Params) != 1 {
		t.Errorf("first part: %q %q", first.Description, first.Params)
	}
	if last.Type != "image" || last.Subtype != "png" || last.Description != "" || last.Params != nil {
		t.Errorf("last part: %s/%s %q %q", last.Type, last.Subtype, last.Description, last.Params)
	}
}

func TestLongFieldsAreCut(t *testing.T) {
	long := strings.Repeat("word ", 1<<20/5)
	list := strings.Repeat("someone@example.org,\r\n ", 10_000)
	for name, test := range map[string]struct {
		raw      string
		complete bool
		check    func(s *Structure) bool
	}{
		"a line of 1 MB that is kept": {"Subject: " + long + "\r\nTo: a@b\r\n\r\ntext", false, func(s *Structure) bool {
			return len(*s.Envelope.Subject) > maxField-20 && strings.HasSuffix(*s.Envelope.Subject, " word") && len(s.Envelope.To) == 1
		}},
		"a line of 1 MB that is not kept": {"X-Other: " + long + "\r\nTo: a@b\r\n\r\ntext", true, func(s *Structure) bool {
			return len(s.Fields) == 1 && s.Envelope.Subject == nil
		}},
		"a line of 1 MB without a colon": {strings.ReplaceAll(long, " ", "") + "\r\nTo: a@b\r\n\r\ntext", true, func(s *Structure) bool {
			return len(s.Fields) == 1
		}},
		"a list": {"To: " + list + "last@example.org\r\n\r\ntext", false, func(s *Structure) bool {
			to := s.Envelope.To
			return len(to) > 2800 && *to[len(to)-1].Mailbox == "someone" && *to[len(to)-1].Host == "example.org"
		}},
		"many fields": {strings.Repeat("List-Id: "+strings.Repeat("x", 1000)+"\r\n", 1000) + "Subject: late\r\n\r\ntext", false, func(s *Structure) bool {
			return len(s.Fields) < 300 && s.Envelope.Subject == nil
		}},
		"as much as is kept": {"Subject: " + strings.Repeat("x", maxField-len("Subject: \r\n")) + "\r\n\r\n", true, func(s *Structure) bool {
			return len(s.Fields[0].Raw) == maxField
		}},
		"one byte more": {"Subject: " + strings.Repeat("x", maxField-len("Subject: \r\n")+1) + "\r\n\r\n", false, func(s *Structure) bool {
			return *s.Envelope.Subject == ""
		}},
	} {
		if err := checkMessage([]byte(test.raw), 1); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := Scan([]byte(test.raw))
		if s.Complete() != test.complete || !test.check(s) {
			t.Errorf("%s: complete %t, %d fields", name, s.Complete(), len(s.Fields))
		}
		if n := strings.Count(test.raw[:s.Root.BodyOffset], "\n"); int64(n) != s.Root.HeaderLines {
			t.Errorf("%s: %d header lines, want %d", name, s.Root.HeaderLines, n)
		}
	}
}

func TestKeptField(t *testing.T) {
	for _, name := range []string{"Date", "FROM", "message-id", "References", "List-Id", "list-unsubscribe-post", "X-Spam-Flag",
		"Content-Type", "X-Priority", "Return-Path", "Delivered-To", "List-" + strings.Repeat("x", 100)} {
		if !KeptField(name) {
			t.Errorf("%s is not kept", name)
		}
	}
	for _, name := range []string{"", "Received", "DKIM-Signature", "List-", "X-" + strings.Repeat("x", 100), "To "} {
		if KeptField(name) {
			t.Errorf("%s is kept", name)
		}
	}
	for name := range knownFields {
		if len(name) > longestKnown {
			t.Errorf("%s is longer than longestKnown", name)
		}
	}
}
