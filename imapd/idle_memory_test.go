package imapd

import (
	"bufio"
	"crypto/tls"
	"runtime"
	"testing"
)

// An idle TLS connection with a mailbox selected gives its buffers back: the goal is 40 KB. The client's side, which is in this
// process too, is part of what is measured, and the race detector's share is allowed for.
func TestIdleConnectionMemory(t *testing.T) {
	t.Run("plain", func(t *testing.T) { idleMemory(t, false) })
	t.Run("compressed", func(t *testing.T) { idleMemory(t, true) })
}

func idleMemory(t *testing.T, compressed bool) {
	if testing.Short() {
		t.Skip("opens hundreds of connections")
	}
	const n = 300
	e := newEnv(t)
	e.start(t, nil)
	e.account(t, user)
	addr := e.serve(t, true)
	e.deliver(t, "INBOX", "Subject: x\r\n\r\nx\r\n")

	cfg := &tls.Config{InsecureSkipVerify: true}
	before := memory()
	for range n {
		conn, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		c := &client{t: t, conn: conn, in: bufio.NewReaderSize(conn, 16)}
		c.line()
		c.ok("LOGIN " + user + ` "` + password + `"`)
		c.ok("SELECT INBOX")
		c.ok("FETCH 1 (FLAGS ENVELOPE BODY.PEEK[])")
		c.send("i IDLE\r\n")
		if line := c.line(); line != "+ idling" {
			t.Fatalf("got %q", line)
		}
	}
	each := (memory() - before) / n
	t.Logf("%d bytes for both sides of a connection", each)
	if each > 60<<10 {
		t.Errorf("a connection holds %d bytes, both sides together", each)
	}
}

// memory returns what lives on the heap and on stacks.
func memory() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
