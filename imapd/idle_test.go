package imapd

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

func (c *client) startIdle() {
	c.t.Helper()
	c.tag++
	c.send("idle IDLE\r\n")
	for line := ""; !strings.HasPrefix(line, "+ "); {
		if line = c.line(); line == closed {
			c.t.Fatal("connection closed")
		}
	}
}

// What is delivered is told at once, not by polling.
func TestIdlePush(t *testing.T) {
	e := newEnv(t)
	e.account(t, user)
	c := &client{t: t, conn: e.dialNode(t, e.hints, time.Hour)} // a poll would come too late
	defer c.conn.Close()
	c.in = bufio.NewReader(c.conn)
	c.ok("SELECT INBOX")
	c.startIdle()
	for range 5 {
		e.deliver(t, "INBOX", "Subject: x\r\n\r\nx\r\n")
		if line := c.line(); !strings.HasSuffix(line, " EXISTS") {
			t.Fatalf("got %q", line)
		}
		if line := c.line(); !strings.HasSuffix(line, " RECENT") {
			t.Fatalf("got %q", line)
		}
	}
	c.send("DONE\r\n")
	if line := c.line(); line != "idle OK IDLE completed" {
		t.Errorf("got %q", line)
	}
}

func TestIdleKeepAlive(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.KeepAlive = 10 * time.Millisecond })
	c := e.login(t)
	c.startIdle()
	for range 3 {
		if line := c.line(); line != "* OK Still here" {
			t.Fatalf("got %q", line)
		}
	}
}

// DONE may come together with the next commands.
func TestIdlePipelined(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	c.send("a IDLE\r\nDONE\r\nb NOOP\r\nc IDLE\r\nDONE\r\nd LOGOUT\r\n")
	want := []string{"+ idling", "a OK IDLE completed", "b OK NOOP completed", "+ idling", "c OK IDLE completed", "* BYE Logging out",
		"d OK LOGOUT completed", closed}
	for _, w := range want {
		if line := c.line(); line != w {
			t.Fatalf("got %q, want %q", line, w)
		}
	}
}

// A session in IDLE that nothing happens in learns that it may not read the mailbox any more.
func TestIdleRevoked(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.KeepAlive = 10 * time.Millisecond })
	e.account(t, "bob@example.org")
	owner := e.login(t)
	owner.ok("CREATE Work")
	owner.ok("SETACL Work bob@example.org lrsw")
	c := e.connect(t)
	c.ok(`LOGIN bob@example.org "` + password + `"`)
	c.ok(`SELECT "Other Users/anna@example.org/Work"`)
	c.startIdle()
	owner.ok("SETACL Work bob@example.org lrs")
	e.clock.Add(int64(6 * time.Second))
	for {
		line := c.line()
		if line == `* OK [PERMANENTFLAGS (\Seen)] Flags are kept` {
			break
		}
		if line != "* OK Still here" && !strings.HasPrefix(line, "* FLAGS ") {
			t.Fatalf("got %q", line)
		}
	}
	owner.ok("DELETEACL Work bob@example.org")
	e.clock.Add(int64(6 * time.Second))
	line := c.line()
	for line == "* OK Still here" {
		line = c.line()
	}
	if line != "* BYE Selected mailbox was deleted" {
		t.Errorf("got %q", line)
	}
	if line := c.line(); line != closed {
		t.Errorf("got %q", line)
	}
}
