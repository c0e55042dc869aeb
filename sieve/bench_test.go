package sieve_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/sieve"
)

// hundredRules is a script as web mail programs write them.
func hundredRules() string {
	var out strings.Builder
	out.WriteString("require [\"fileinto\", \"imap4flags\", \"copy\", \"body\"];\n")
	for i := range 100 {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&out, "# rule:[list %d]\nif header :contains \"list-id\" \"<list%d.example.com>\" { fileinto \"Lists/%d\"; stop; }\n", i, i, i)
		case 1:
			fmt.Fprintf(&out, "if anyof (address :is \"from\" \"boss%d@example.com\", header :matches \"subject\" \"*[ticket-%d]*\") { addflag \"\\\\Flagged\"; }\n", i, i)
		case 2:
			fmt.Fprintf(&out, "if allof (header :contains [\"to\", \"cc\"] \"team%d@\", not size :over 10M) { fileinto \"Team\"; }\n", i)
		default:
			fmt.Fprintf(&out, "if header :is \"x-priority\" \"%d\" { redirect :copy \"phone%d@example.com\"; }\n", i, i)
		}
	}
	return out.String()
}

const benchMessage = "Received: from a by b; Tue, 1 Apr 1997 09:06:31 -0800\r\n" +
	"Received: from c by a; Tue, 1 Apr 1997 09:06:31 -0800\r\n" +
	"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; b=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\r\n" +
	"From: \"Some Body\" <somebody@example.com>\r\nTo: user@example.org, \"Another\" <another@example.org>\r\nCc: c@example.net\r\n" +
	"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= and more words of a usual length\r\nMessage-ID: <1234567890@example.com>\r\n" +
	"Date: Tue, 1 Apr 1997 09:06:31 -0800\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nthis is it.\r\n"

func BenchmarkCompile(b *testing.B) {
	script := hundredRules()
	b.ReportAllocs()
	b.SetBytes(int64(len(script)))
	for b.Loop() {
		if _, err := sieve.Compile(script, sieve.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	s, err := sieve.Compile(hundredRules(), sieve.Options{})
	if err != nil {
		b.Fatal(err)
	}
	in := sieve.Input{
		Message: strings.NewReader(benchMessage), Size: int64(len(benchMessage)), Structure: message.Scan([]byte(benchMessage)),
		Envelope: sieve.Envelope{From: "somebody@example.com", To: "user@example.org"},
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Run(context.Background(), sieve.NoHost{}, in)
		if err != nil || len(r.Actions) != 1 {
			b.Fatal(err, r)
		}
	}
}
