package sieve_test

import (
	"context"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/sieve"
)

// TestOutgoing compares generated messages with testdata/outgoing.txt; -rewrite writes it anew.
func TestOutgoing(t *testing.T) {
	g := sieve.Generator{Host: "mx.example.org", ID: "id-1", Now: time.Date(2026, 11, 23, 22, 0, 0, 0, time.FixedZone("", 3600))}
	const original = "From: Wile =?utf-8?Q?Coyot=C3=A9?= <coyote@desert.example.org>\r\nTo: user@example.org\r\n" +
		"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the desert\r\nMessage-ID: <2@desert.example.org>\r\n" +
		"References: <0@desert.example.org>\r\n\t<1@desert.example.org>\r\nDate: Tue, 1 Apr 1997 09:06:31 -0800\r\n\r\nHello\r\n"
	var out strings.Builder
	for _, c := range []struct{ name, script string }{
		{"vacation", `require "vacation"; vacation "I am away.
--
Bye";`},
		{"vacation in German", `require "vacation"; vacation :subject "Ich bin im Urlaub, und zwar für ziemlich lange Zeit, bis der Süden mich loslässt" :from "Jörg Müller <joerg@example.org>" "Schöne Grüße
--
.
From here";`},
		{"vacation with mime", `require "vacation"; vacation :mime text:
Content-Type: multipart/alternative; boundary=foo
Subject: not this
X-Evil: nor this

--foo

text
--foo
Content-Type: text/html

<p>html
--foo--
.
;`},
		{"notify", `require "enotify"; notify :importance "1" :message "New mail: Grüße" "mailto:phone@example.com";`},
		{"notify with headers", `require "enotify"; notify :from "\"Me, myself\" <me@example.org>" "mailto:a@example.com?cc=c@example.com&bcc=d@example.com&subject=A%0D%0AX-Injected:%20yes&body=line%20one%0D%0Aline%20two&x-what=ever&received=no";`},
		{"reject", `require "reject"; reject "Please do not write to me.
Grüße";`},
		{"ereject", `require "ereject"; ereject "No.";`},
	} {
		s, err := sieve.Compile(strings.ReplaceAll(c.script, "\n", "\r\n"), sieve.Options{})
		if err != nil {
			t.Fatal(c.name, err)
		}
		r, err := s.Run(context.Background(), sieve.NoHost{}, sieve.Input{
			Message: strings.NewReader(original), Size: int64(len(original)),
			Envelope: sieve.Envelope{From: "coyote@desert.example.org", To: "user@example.org"},
		})
		if err != nil || r.Failure != nil {
			t.Fatal(c.name, err, r)
		}
		var o *sieve.Outgoing
		switch a := r.Actions[0].(type) {
		case *sieve.Vacation:
			o = a.Outgoing(g)
		case *sieve.Notify:
			o = a.Outgoing(g)
		case *sieve.Reject:
			if o, err = a.Outgoing(g); err != nil {
				t.Fatal(err)
			}
			lines, ok := a.SMTPText()
			fmt.Fprintf(&out, "SMTP: %q %v\n", lines, ok)
		}
		fmt.Fprintf(&out, "=== %s\nfrom <%s> to %v\n%s", c.name, o.Sender, o.Recipients, strings.ReplaceAll(string(o.Data), "\r\n", "\n"))
		readable(t, c.name, o)
	}
	if *rewrite {
		if err := os.WriteFile("testdata/outgoing.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/outgoing.txt")
	if err != nil || string(want) != out.String() {
		t.Errorf("%v: got:\n%s", err, out.String())
	}
}

// readable parses what was generated with another library.
func readable(t *testing.T, name string, o *sieve.Outgoing) {
	m, err := mail.ReadMessage(strings.NewReader(string(o.Data)))
	if err != nil {
		t.Fatal(name, err)
	}
	for _, f := range []string{"From", "To"} {
		if _, err := m.Header.AddressList(f); err != nil {
			t.Errorf("%s: %s: %v", name, f, err)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if _, _, err := mime.ParseMediaType(m.Header.Get("Content-Type")); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if m.Header.Get("In-Reply-To") != "<2@desert.example.org>" || m.Header.Get("X-Injected") != "" || m.Header.Get("X-Evil") != "" {
		t.Errorf("%s: %v", name, m.Header)
	}
	for line := range strings.Lines(string(o.Data)) {
		if len(line) > 1000 || !strings.HasSuffix(line, "\r\n") {
			t.Errorf("%s: line %q", name, line)
		}
	}
}
