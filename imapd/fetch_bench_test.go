package imapd

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rookery-mail/rookery/mailstore"
)

// fill puts n messages into INBOX, in no order.
func (b *bed) fill(n int, message func(i int) string) {
	b.t.Helper()
	var g errgroup.Group
	g.SetLimit(256)
	for i := range n {
		g.Go(func() error {
			st, err := b.store.Stage(b.t.Context(), strings.NewReader(message(i)), 0)
			if err != nil {
				return err
			}
			_, err = b.user.Append(b.t.Context(), "INBOX", st, mailstore.AppendOptions{InternalDate: b.now})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Fatal(err)
	}
}

// benchMessage is like a short message from a mailing list.
func benchMessage(i int) string {
	return raw(
		fmt.Sprintf("Received: from mx%d.example.org by mail.example.net with LMTP; Mon, 5 Jan 2026 10:00:00 +0000", i%7),
		"Date: Mon, 5 Jan 2026 10:00:00 +0000",
		fmt.Sprintf("From: \"Sender %d\" <sender%d@example.org>", i%97, i%97),
		"To: list@example.net, Anna <anna@example.org>",
		fmt.Sprintf("Subject: Message number %d about nothing in particular", i),
		fmt.Sprintf("Message-ID: <%d.bench@example.org>", i),
		"References: <1.bench@example.org> <2.bench@example.org>",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "",
		strings.Repeat("Some words that somebody wrote.\r\n", 20))
}

// BenchmarkCommands runs commands over a mailbox of 20,000 messages; messages/s is how many of them a second.
func BenchmarkCommands(b *testing.B) {
	const n = 20_000
	bed := newBed(b)
	bed.fill(n, benchMessage)
	c := bed.session("SELECT INBOX")
	c.conn.discard = true
	for _, command := range []string{
		"FETCH 1:* (FLAGS)",
		"UID FETCH 1:* (FLAGS)",
		"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ)",
		"FETCH 1:* (UID FLAGS ENVELOPE)",
		"FETCH 1:* BODYSTRUCTURE",
		"FETCH 1:* BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]",
		"FETCH 1:* BODY.PEEK[]",
		"SEARCH UNSEEN SINCE 1-Jan-2020",
		"SEARCH SUBJECT particular",
		"SEARCH BODY nowhere",
	} {
		b.Run(command, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.conn.in.WriteString("t " + command + "\r\n")
				if err := c.s.step(); err != nil {
					b.Fatal(err)
				}
				c.flush()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkEnvelopes fetches ENVELOPE and FLAGS of 100,000 messages: as it is the first time, and from what is kept.
func BenchmarkEnvelopes(b *testing.B) {
	const n = 100_000
	bed := newBed(b)
	bed.fill(n, benchMessage)
	for _, command := range []string{"FETCH 1:* (FLAGS)", "FETCH 1:* ENVELOPE", "FETCH 1:* (UID FLAGS ENVELOPE)"} {
		for _, kept := range []bool{false, true} {
			name := command
			if kept {
				name += "/kept"
			}
			b.Run(name, func(b *testing.B) {
				c := bed.session("SELECT INBOX")
				c.conn.discard = true
				b.ReportAllocs()
				cpu := processorTime(b)
				for b.Loop() {
					if !kept {
						bed.srv.texts = newTextCache(bed.srv.cfg.TextBytes)
					}
					c.conn.in.WriteString("t " + command + "\r\n")
					if err := c.s.step(); err != nil {
						b.Fatal(err)
					}
					c.flush()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(float64((processorTime(b)-cpu).Microseconds())/float64(b.N)/n, "cpu-us/message")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// processorTime returns what this process has used: it says something beside other work, too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
