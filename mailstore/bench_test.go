package mailstore_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

func benchmarkDeliver(b *testing.B, senders, accounts int) {
	c := newCluster(b)
	var puts atomic.Int64
	blobs := &blobHooks{Store: c.blobs}
	blobs.put = putCounter(&puts)
	s := c.node(func(cfg *mailstore.Config) { cfg.Blobs = blobs })
	ids := make([]metadata.AccountID, accounts)
	for i := range ids {
		ids[i] = c.account()
	}
	text := mail("benchmark") + strings.Repeat("A line of some text that a mail may have, more or less.\r\n", 70)
	b.SetBytes(int64(len(text)))
	b.SetParallelism((senders + 1) / 2)
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1)
			links := fmt.Sprintf("Message-ID: <%d@example.org>\r\nReferences: <%d@example.org>\r\n", i, i-int64(len(ids)))
			st, err := s.Stage(c.ctx, strings.NewReader(links+text), 0)
			if err != nil {
				b.Error(err)
				return
			}
			account := ids[int(i)%len(ids)]
			if d := s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: account}})[0]; d.Err != nil {
				b.Error(d.Err)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(puts.Load())/float64(b.N), "PUT/msg")
}

// GOMAXPROCS times the parallelism is the number of senders: on two cores, what the names say.
func BenchmarkDeliver4KB(b *testing.B) {
	for _, n := range []int{2, 16, 64} {
		b.Run(fmt.Sprintf("senders=%d/accounts=100", n), func(b *testing.B) { benchmarkDeliver(b, n, 100) })
	}
	b.Run("senders=64/accounts=1", func(b *testing.B) { benchmarkDeliver(b, 64, 1) })
}

func BenchmarkStage4KB(b *testing.B) {
	c := newCluster(b)
	s := c.node(nil)
	text := mail("benchmark") + strings.Repeat("A line of some text that a mail may have, more or less.\r\n", 70)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		c.stage(s, text).Discard()
	}
}

// bigMailbox makes a mailbox of n messages without delivering each.
func bigMailbox(b *testing.B, c *cluster, s *mailstore.Store, n int) *mailstore.User {
	account := c.account()
	u := s.User(account)
	c.append(u, s, "INBOX", mail("x"))
	sel := c.open(u, "INBOX")
	defer sel.Close()
	for have := 1; have < n; {
		more := min(have, n-have)
		uids := metadata.UIDSet{{First: 1, Last: metadata.UID(more)}}
		if _, err := sel.Copy(c.ctx, uids, "INBOX"); err != nil {
			b.Fatal(err)
		}
		have += more
		c.sync(sel, fresh)
	}
	return u
}

func BenchmarkView20000(b *testing.B) {
	c := newCluster(b)
	u := bigMailbox(b, c, c.node(nil), 20_000)
	sel := c.open(u, "INBOX")
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := c.node(func(cfg *mailstore.Config) { cfg.Log = nil })
			x, err := s.User(u.Account()).Open(c.ctx, "INBOX", mailstore.ReadOnly)
			if err != nil {
				b.Fatal(err)
			}
			x.Close()
		}
	})
	b.Run("open-cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x, err := u.Open(c.ctx, "INBOX", mailstore.ReadOnly)
			if err != nil {
				b.Fatal(err)
			}
			x.Close()
		}
	})
	b.Run("messages", func(b *testing.B) {
		b.ReportAllocs()
		all := sel.AllUIDs()
		for b.Loop() {
			n := 0
			if err := sel.Messages(c.ctx, all, func(mailstore.SeqNum, *metadata.Message, bool) bool { n++; return true }); err != nil || n != 20_000 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("sync-noop", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.sync(sel, mailstore.SyncOptions{})
		}
	})
	b.Run("sync-fresh", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.sync(sel, fresh)
		}
	})
	b.Run("store-one", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			op := metadata.FlagOp(1 + i%2)
			if _, err := sel.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{
				UIDs: metadata.UIDSetOf(metadata.UID(1 + i/2%20_000)), Op: op, Flags: metadata.FlagSeen,
			}); err != nil {
				b.Fatal(err)
			}
			c.sync(sel, mailstore.SyncOptions{})
			i++
		}
	})
}

// BenchmarkOpenCold opens a mailbox of 100,000 messages on a node that has not seen it: what a SELECT takes from the database.
func BenchmarkOpenCold(b *testing.B) {
	const n = 100_000
	for _, engine := range []string{"sqlite", "postgresql"} {
		b.Run(engine, func(b *testing.B) {
			var meta metadata.Store
			if engine == "sqlite" {
				meta = openMetadata(b)
			} else {
				meta = openURL(b, servers.PostgreSQL(b))
			}
			c := newClusterOn(b, meta)
			u := bigMailbox(b, c, c.node(nil), n)
			cpu := processorTime(b)
			b.ReportAllocs()
			for b.Loop() {
				s := c.node(func(cfg *mailstore.Config) { cfg.Log = nil })
				x, err := s.User(u.Account()).Open(c.ctx, "INBOX", mailstore.ReadOnly)
				if err != nil || x.NumMessages() != n {
					b.Fatal(err)
				}
				x.Close()
			}
			b.ReportMetric(float64((processorTime(b)-cpu).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
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

func BenchmarkIdleSession(b *testing.B) {
	c := newCluster(b)
	u := bigMailbox(b, c, c.node(nil), 20_000)
	b.ReportAllocs()
	for b.Loop() {
		c.open(u, "INBOX") // closed at the end: B/op is what one more session of a mailbox holds, and the look-up's garbage
	}
}
