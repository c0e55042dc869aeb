package pop3d

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailstore"
)

// fill puts n messages into an account's INBOX, as many in one pack as go, and returns them.
func (e *env) fill(t testing.TB, address string, n, size int) []string {
	t.Helper()
	ctx := context.Background()
	user := e.store.User(e.account(t, address).ID)
	messages := make([]string, n)
	for from := 0; from < n; {
		batch, err := user.NewBatch(ctx, "INBOX")
		if err != nil {
			t.Fatal(err)
		}
		for end := min(from+500, n); from < end; from++ {
			m := fmt.Sprintf("Subject: %d\r\n\r\n.", from)
			messages[from] = m + strings.Repeat("x", max(0, size-len(m)-2)) + "\r\n"
			st, err := e.store.Stage(ctx, strings.NewReader(messages[from]), 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := batch.Add(ctx, st, mailstore.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := batch.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return messages
}

// take sends commands for each message in one burst, and compares what comes back.
func (c *client) take(messages []string, format string) {
	c.t.Helper()
	sent := make(chan error, 1)
	go func() { // longer than any buffer between
		var err error
		for i := range messages {
			if err == nil {
				_, err = fmt.Fprintf(c.Conn, strings.ReplaceAll(format, "%", "%[1]")+"\r\n", i+1)
			}
		}
		sent <- err
	}()
	for i, m := range messages {
		for _, line := range strings.Split(format, "\r\n") {
			c.expect("+OK")
			if strings.HasPrefix(line, "DELE") {
				continue
			}
			if got := c.body(); got != m {
				c.t.Fatalf("%s gives %d octets for message %d, not those of the message", line, len(got), i+1)
			}
		}
	}
	if err := <-sent; err != nil {
		c.t.Fatal(err)
	}
}

// 5,000 small messages that lie side by side are fetched and deleted with some twenty look-ups, and as many reads of the store besides
// one a pack.
func TestFewReads(t *testing.T) {
	e := newEnv(t)
	messages := e.fill(t, anna, 5000, 300)
	e.start(t, nil)
	c := e.login(t)
	e.blobs.ranges.Store(0)
	c.take(messages, "RETR %d\r\nDELE %d")
	c.cmd("QUIT", "+OK Bye, 5000")
	if reads, rows := e.blobs.ranges.Load(), e.meta.located.Load(); rows > 20 || reads > e.blobs.puts.Load()+rows {
		t.Errorf("%d reads of %d packs, %d of rows", reads, e.blobs.puts.Load(), rows)
	}
	if left := e.uids(t, anna); len(left) != 0 {
		t.Errorf("%d messages left", len(left))
	}
}

// Without memory for reading ahead every message comes all the same.
func TestReadAheadWithoutMemory(t *testing.T) {
	e := newEnv(t)
	messages := e.fill(t, anna, 300, 2000)
	e.start(t, func(cfg *Config) { cfg.ReadAhead = 1 })
	c := e.login(t)
	c.take(messages, "RETR %d\r\nTOP %d 9999")
	c.cmd("QUIT", "+OK")
}

// Whatever the order, a message is what was delivered; what was marked and unmarked too.
func TestAnyOrder(t *testing.T) {
	e := newEnv(t)
	messages := e.fill(t, anna, 100, 500)
	e.start(t, nil)
	c := e.login(t)
	get := func(n int) {
		t.Helper()
		c.cmd(fmt.Sprintf("RETR %d", n), "+OK")
		if got := c.body(); got != messages[n-1] {
			t.Fatalf("RETR %d gives %q", n, got)
		}
	}
	for _, n := range []int{100, 1, 50, 51, 52, 30, 99, 100, 2, 3, 3} {
		get(n)
	}
	for n := 4; n <= 20; n++ {
		c.cmd(fmt.Sprintf("DELE %d", n), "+OK")
	}
	get(21)
	get(22)
	c.cmd("RSET", "+OK")
	for n := range messages {
		get(n + 1)
	}
	for n := 100; n > 0; n-- {
		get(n)
	}
	e.expunge(t, anna, 60)
	c.cmd("RETR 59", "+OK")
	c.body()
	c.send("RETR 60\r\n") // refused, or what is left of it
	if line := c.expect(""); strings.HasPrefix(line, "+OK") {
		if got := c.body(); got != messages[59] {
			t.Fatalf("RETR 60 gives %q", got)
		}
	}
	get(61)
}

// What sessions hold of the budget is given back, however they end.
func TestReadAheadBudget(t *testing.T) {
	e := newEnv(t)
	messages := e.fill(t, anna, 60, 1000)
	e.start(t, func(cfg *Config) { cfg.ReadAhead = 100_000 })
	for range 3 {
		c := e.login(t)
		c.take(messages[:5], "RETR %d")
		c.Close()
		e.idle(t)
	}
	if !e.srv.ahead.TryAcquire(100_000) {
		t.Error("some of the budget is missing")
	}
}
