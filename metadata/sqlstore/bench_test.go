package sqlstore_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// benchmarks run on SQLite and PostgreSQL (and CockroachDB when there is one): go test -bench . -run '^$' ./metadata/sqlstore
func benchmark(b *testing.B, run func(b *testing.B, s *sqlstore.Store, accounts []metadata.NewAccount)) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			s := open(b, sqlstore.Options{URL: e.url(b)})
			accounts := make([]metadata.NewAccount, 100)
			for i := range accounts {
				id := metadata.NewAccountID()
				accounts[i] = metadata.NewAccount{ID: id, Address: id.String() + "@example.org",
					Mailboxes: []metadata.NewMailbox{{ID: metadata.NewMailboxID(), Name: "INBOX"}}}
			}
			if _, err := s.CreateAccounts(b.Context(), accounts); err != nil {
				b.Fatal(err)
			}
			run(b, s, accounts)
		})
	}
}

// BenchmarkAppend appends batches to 100 accounts, with summaries of 700 bytes.
func BenchmarkAppend(b *testing.B) {
	benchmark(b, func(b *testing.B, s *sqlstore.Store, accounts []metadata.NewAccount) {
		for _, size := range []int{1, 16, 64, 256} {
			b.Run(fmt.Sprintf("batch-%d", size), func(b *testing.B) {
				n := 0
				for b.Loop() {
					appendBatch(b, s, accounts, n, size)
					n += size
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	})
}

func appendBatch(b *testing.B, s *sqlstore.Store, accounts []metadata.NewAccount, from, size int) {
	b.Helper()
	now := time.Now()
	pack := metadata.NewPackID(now)
	batch := metadata.AppendBatch{Packs: []metadata.Pack{{ID: pack, Size: int64(size) * 4096, Bodies: size, Created: now}}}
	for i := range size {
		a := &accounts[(from+i)%len(accounts)]
		batch.Items = append(batch.Items, metadata.AppendItem{Account: a.ID, Mailbox: a.Mailboxes[0].ID, InternalDate: now, SaveDate: now,
			Body: metadata.Body{Account: a.ID, ID: metadata.NewBodyID(now), Pack: pack, Stored: 4096, Length: 2000, Frames: make([]byte, 8),
				Hash: make([]byte, 32), Prefix: make([]byte, 80), Summary: make([]byte, 700)}})
	}
	res, err := s.Append(b.Context(), batch)
	if err != nil {
		b.Fatal(err)
	}
	for i := range res {
		if res[i].Err != nil {
			b.Fatal(res[i].Err)
		}
	}
}

// BenchmarkMailbox is what happens in a mailbox of 20,000 messages.
func BenchmarkMailbox(b *testing.B) {
	const n = 20000
	benchmark(b, func(b *testing.B, s *sqlstore.Store, accounts []metadata.NewAccount) {
		a := &accounts[0]
		box := a.Mailboxes[0].ID
		for i := 0; i < n; i += 500 {
			appendBatch(b, s, accounts[:1], i, 500)
		}
		_, msgs, err := s.LoadMailbox(b.Context(), box)
		if err != nil {
			b.Fatal(err)
		}
		ids := make([]metadata.BodyID, n)
		for i := range msgs {
			ids[i] = msgs[i].Body
		}
		b.Run("LoadMailbox", func(b *testing.B) {
			defer reportProcessor(b, n)()
			for b.Loop() {
				if _, msgs, err := s.LoadMailbox(b.Context(), box); err != nil || len(msgs) != n {
					b.Fatal(len(msgs), err)
				}
			}
		})
		b.Run("Bodies", func(b *testing.B) {
			defer reportProcessor(b, n)()
			for b.Loop() {
				if bodies, err := s.Bodies(b.Context(), a.ID, ids); err != nil || len(bodies) != n {
					b.Fatal(len(bodies), err)
				}
			}
		})
		b.Run("Bodies-200", func(b *testing.B) {
			defer reportProcessor(b, 200)()
			for b.Loop() {
				if bodies, err := s.Bodies(b.Context(), a.ID, ids[5000:5200]); err != nil || len(bodies) != 200 {
					b.Fatal(len(bodies), err)
				}
			}
		})
		ops := []metadata.FlagOp{metadata.FlagsAdd, metadata.FlagsRemove}
		store := func(b *testing.B, uids metadata.UIDSet) {
			for i := 0; b.Loop(); i++ {
				_, err := s.StoreFlags(b.Context(), metadata.StoreFlags{Account: a.ID, Mailbox: box, UIDs: uids, Op: ops[i%2], Flags: metadata.FlagSeen})
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run("StoreFlags-1", func(b *testing.B) { store(b, metadata.UIDSetOf(777)) })
		b.Run("StoreFlags-all", func(b *testing.B) { store(b, metadata.UIDSet{{First: 1, Last: n}}) })
		b.Run("ChangesSince-50", func(b *testing.B) {
			box0, _, err := s.LoadMailbox(b.Context(), box)
			if err != nil {
				b.Fatal(err)
			}
			appendBatch(b, s, accounts[:1], 0, 50)
			for b.Loop() {
				if c, err := s.ChangesSince(b.Context(), box, box0.HighestModSeq); err != nil || len(c.Changed) != 50 {
					b.Fatal(err)
				}
			}
		})
		b.Run("Copy-1000", func(b *testing.B) {
			for b.Loop() {
				_, err := s.Copy(b.Context(), metadata.CopyRequest{Account: a.ID, Source: box, UIDs: metadata.UIDSet{{First: 1001, Last: 2000}},
					DestAccount: accounts[0].ID, Dest: box, SaveDate: time.Now()})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkCreateAccounts imports 10,000 accounts with six mailboxes each.
func BenchmarkCreateAccounts(b *testing.B) {
	benchmark(b, func(b *testing.B, s *sqlstore.Store, _ []metadata.NewAccount) {
		for b.Loop() {
			accounts := make([]metadata.NewAccount, 10000)
			for i := range accounts {
				id := metadata.NewAccountID()
				accounts[i] = metadata.NewAccount{ID: id, Address: id.String() + "@example.org", PasswordHash: "{X}"}
				for _, name := range []string{"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"} {
					accounts[i].Mailboxes = append(accounts[i].Mailboxes, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: name, Subscribed: true})
				}
			}
			if _, err := s.CreateAccounts(b.Context(), accounts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// reportProcessor begins to measure; what it returns ends that and reports what a message took.
func reportProcessor(b *testing.B, messages int) func() {
	b.Helper()
	from := processorTime(b)
	return func() {
		used := processorTime(b) - from
		b.ReportMetric(float64(used.Microseconds())/float64(b.N)/float64(messages), "cpu-us/message")
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
