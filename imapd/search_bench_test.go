package imapd

import (
	"fmt"
	"testing"
)

// benchThreads is like benchMessage, in threads of ten.
func benchThreads(i int) string {
	refs := ""
	for k := i - i%10; k < i; k++ {
		refs += fmt.Sprintf(" <m%d@example.org>", k)
	}
	header := []string{fmt.Sprintf("Message-ID: <m%d@example.org>", i), fmt.Sprintf("Subject: Re: [list] Topic number %d", i*7919%5000)}
	if refs != "" {
		header = append(header, "References:"+refs)
	}
	return raw(append(header, "Date: Mon, 5 Jan 2026 10:00:00 +0000", fmt.Sprintf("From: Sender %d <s%d@example.org>", i%97, i%97),
		"To: list@example.net", "", fmt.Sprintf("Some words, among them %d.", i))...)
}

func BenchmarkSearch(b *testing.B) {
	for _, c := range []struct {
		name     string
		messages int
		commands []string
	}{
		{"20k", 20_000, []string{
			"SORT (SUBJECT) UTF-8 ALL", "SORT (REVERSE ARRIVAL) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 ALL",
			"SEARCH SUBJECT nowhere", "SEARCH BODY nowhere",
		}},
		{"100k", 100_000, []string{"SEARCH UNSEEN UNDELETED", "SEARCH FLAGGED", "UID SEARCH RETURN (COUNT) UNSEEN", "SORT (REVERSE ARRIVAL) UTF-8 UNSEEN"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			bed := newBed(b)
			bed.fill(c.messages, benchThreads)
			s := bed.session("SELECT INBOX")
			s.conn.discard = true
			for _, command := range c.commands {
				b.Run(command, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						s.do(command)
					}
					b.ReportMetric(float64(c.messages)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
				})
			}
		})
	}
}
