package pop3d

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// large is the messages of the maildrop that is opened.
const large = 100_000

// BenchmarkOpen logs in to a maildrop of 100,000 messages: warm, this node has seen the mailbox; cold, it has not. With LIST and
// UIDL of all. On SQLite, and on a PostgreSQL of one's own:
//
//	ROOKERY_BENCH_POSTGRES_URL=postgresql://... go test -bench Open -run '^$' ./pop3d
func BenchmarkOpen(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkOpen(b, newEnv(b)) })
	b.Run("PostgreSQL", func(b *testing.B) {
		url := os.Getenv("ROOKERY_BENCH_POSTGRES_URL")
		if url == "" {
			b.Skip("ROOKERY_BENCH_POSTGRES_URL names no database")
		}
		meta, err := sqlstore.Open(b.Context(), sqlstore.Options{URL: url})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = meta.Close() })
		if err := meta.Migrate(b.Context()); err != nil {
			b.Fatal(err)
		}
		e := newEnv(b)
		e.meta = &faultyMeta{Store: meta}
		e.store = openNode(b, e.meta, e.blobs)
		e.local, err = directory.New(directory.Options{Metadata: meta, DefaultDomain: "example.org", Delimiter: "+"})
		if err != nil {
			b.Fatal(err)
		}
		e.dir = &faultyDirectory{Directory: e.local}
		benchmarkOpen(b, e)
	})
}

func benchmarkOpen(b *testing.B, e *env) {
	a := e.account(b, fmt.Sprintf("bench%d@example.org", time.Now().UnixNano()))
	box, err := e.meta.Mailbox(b.Context(), a.ID, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	e.outline(b, a.ID, box.ID, large)
	e.start(b, nil)
	c := e.benchLogin(b, a.Address)
	c.burst(b, "QUIT\r\n", 1)
	c.Close()
	for _, nodes := range []string{"warm", "cold"} {
		b.Run(nodes, func(b *testing.B) {
			for b.Loop() {
				at := e
				if nodes == "cold" {
					b.StopTimer()
					at = &env{meta: e.meta, blobs: e.blobs, local: e.local, dir: e.dir}
					at.store = openNode(b, e.meta, e.blobs)
					at.start(b, nil)
					b.StartTimer()
				}
				c := at.benchLogin(b, a.Address)
				c.burst(b, "QUIT\r\n", 1)
				c.Close()
			}
		})
	}
	for _, cmd := range []string{"LIST", "UIDL"} {
		b.Run(cmd, func(b *testing.B) {
			c := e.benchLogin(b, a.Address)
			defer c.Close()
			for b.Loop() {
				c.burst(b, cmd+"\r\n", large+2)
			}
			c.burst(b, "QUIT\r\n", 1)
		})
	}
}

// outline makes rows of messages whose bodies nobody reads.
func (e *env) outline(b *testing.B, account metadata.AccountID, mailbox metadata.MailboxID, n int) {
	now := time.Now()
	for from := 0; from < n; from += 1000 {
		pack := metadata.NewPackID(now)
		batch := metadata.AppendBatch{Packs: []metadata.Pack{{ID: pack, Size: 4 << 20, Bodies: 1000, Created: now}}}
		for range 1000 {
			batch.Items = append(batch.Items, metadata.AppendItem{Account: account, Mailbox: mailbox, InternalDate: now, SaveDate: now,
				Body: metadata.Body{Account: account, ID: metadata.NewBodyID(now), Pack: pack, Stored: 4096, Length: 2000, Hash: make([]byte, 32)}})
		}
		if _, err := e.meta.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

type benchClient struct {
	net.Conn
	in *bufio.Reader
}

func (e *env) benchLogin(b *testing.B, user string) *benchClient {
	conn, err := net.Dial("tcp", e.addr)
	if err != nil {
		b.Fatal(err)
	}
	c := &benchClient{conn, bufio.NewReaderSize(conn, 64<<10)}
	c.burst(b, "USER "+user+"\r\nPASS "+password+"\r\n", 3)
	return c
}

// burst sends commands and reads so many lines.
func (c *benchClient) burst(b *testing.B, commands string, lines int) {
	if _, err := io.WriteString(c, commands); err != nil {
		b.Fatal(err)
	}
	for range lines {
		line, err := c.in.ReadSlice('\n')
		if err != nil || strings.HasPrefix(string(line[:1]), "-") {
			b.Fatalf("%q, %v", line, err)
		}
	}
}

// BenchmarkFetch fetches and deletes 5,000 messages of 2 KiB in one pipelined session.
func BenchmarkFetch(b *testing.B) {
	const n, size = 5000, 2048
	e := newEnv(b)
	e.start(b, nil)
	a := e.account(b, anna)
	var commands strings.Builder
	for i := range n {
		fmt.Fprintf(&commands, "RETR %d\r\nDELE %d\r\n", i+1, i+1)
	}
	commands.WriteString("QUIT\r\n")
	for b.Loop() {
		b.StopTimer()
		e.fill(b, anna, n, size)
		b.StartTimer()
		c := e.benchLogin(b, a.Address)
		go func() { _, _ = io.WriteString(c, commands.String()) }()
		if _, err := io.Copy(io.Discard, c.in); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
	b.StopTimer()
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "messages/s")
	b.SetBytes(n * size)
	if left := e.uids(b, anna); len(left) > 0 {
		b.Fatalf("%d messages left", len(left))
	}
}
