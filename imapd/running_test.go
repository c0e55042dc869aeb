package imapd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// pipelining is a client with INBOX selected, where there are n messages whose bodies cannot be read before they are released.
func pipelining(t *testing.T, n int) (*env, *client, *hold) {
	e := newEnv(t)
	e.start(t, nil)
	e.account(t, user)
	for i := range n {
		e.deliver(t, "INBOX", fmt.Sprintf("Subject: %d\r\n\r\nBody %d\r\n", i+1, i+1))
	}
	c := e.login(t)
	c.ok("SELECT INBOX")
	return e, c, e.blobs.hold()
}

// answers reads lines until all of the tags were there, and returns the lines.
func (c *client) answers(tags ...string) []string {
	c.t.Helper()
	var lines []string
	for len(tags) > 0 {
		line := c.line()
		if line == closed {
			c.t.Fatalf("connection closed after %q", lines)
		}
		lines = append(lines, line)
		tag, _, _ := strings.Cut(line, " ")
		tags = slices.DeleteFunc(tags, func(other string) bool { return other == tag })
	}
	return lines
}

func (c *client) expect(want ...string) {
	c.t.Helper()
	for _, w := range want {
		if line := c.line(); line != w {
			c.t.Fatalf("got %q, want %q", line, w)
		}
	}
}

func TestPipelineBesideFetch(t *testing.T) {
	e, c, held := pipelining(t, 3)
	c.send("a FETCH 1 BODY.PEEK[]\r\n")
	<-held.entered
	c.send("b NOOP\r\nc STATUS INBOX (MESSAGES)\r\nd FETCH 2 FLAGS\r\n" +
		"e STORE 2 +FLAGS.SILENT (\\Flagged)\r\nf UID SEARCH RETURN (ALL) FLAGGED\r\ng APPEND INBOX {3+}\r\nx:y\r\n")
	got := c.answers("b", "c", "d", "e", "f", "g")
	for _, want := range []string{"b OK NOOP completed", "* STATUS INBOX (MESSAGES 3)", "c OK STATUS completed",
		`* 2 FETCH (FLAGS (\Recent))`, "d OK FETCH completed", "e OK STORE completed", `* ESEARCH (TAG "f") UID ALL 2`,
		"f OK UID SEARCH completed", "* 4 EXISTS", "* 4 RECENT"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	e.blobs.release()
	c.expect("* 1 FETCH (BODY[] {22}", "Subject: 1", "", "Body 1", ")", "a OK FETCH completed")
}

// What sets \Seen comes before what looks at it, and nothing behind that overtakes.
func TestPipelineKeepsOrder(t *testing.T) {
	e, c, held := pipelining(t, 3)
	c.send("a FETCH 1 BODY[TEXT]\r\nb SEARCH UNSEEN\r\nc FETCH 2 FLAGS\r\nd EXPUNGE\r\n")
	<-held.entered
	e.blobs.release()
	c.expect(`* 1 FETCH (FLAGS (\Seen \Recent) BODY[TEXT] {8}`, "Body 1", ")", "a OK FETCH completed", "* SEARCH 2 3",
		"b OK SEARCH completed", `* 2 FETCH (FLAGS (\Recent))`, "c OK FETCH completed", "d OK EXPUNGE completed")
}

// While sequence numbers are in use no completion brings an EXPUNGE.
func TestPipelineNoExpunge(t *testing.T) {
	e, c, held := pipelining(t, 3)
	other := e.login(t)
	other.ok("SELECT INBOX")
	c.send("a FETCH 3 BODY.PEEK[TEXT]\r\n")
	<-held.entered
	other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
	other.ok("EXPUNGE")
	c.send("b NOOP\r\nc UID SEARCH ALL\r\nd STATUS INBOX (MESSAGES)\r\ne FETCH 3 UID\r\n")
	got := c.answers("b", "c", "d", "e")
	for _, line := range got {
		if strings.Contains(line, "EXPUNGE") {
			t.Errorf("while FETCH was running: %q", got)
		}
	}
	e.blobs.release()
	c.expect("* 3 FETCH (BODY[TEXT] {8}", "Body 3", ")", "a OK FETCH completed")
	if lines := c.ok("NOOP"); lines[0] != "* 1 EXPUNGE" {
		t.Errorf("NOOP after it: %q", lines)
	}
}

// UID FETCH lets EXPUNGE through; what it writes afterwards has the new sequence numbers, and says nothing of what is gone.
func TestPipelineExpungeDuringUIDFetch(t *testing.T) {
	e, c, held := pipelining(t, 3)
	other := e.login(t)
	other.ok("SELECT INBOX")
	c.send("a UID FETCH 2:3 (FLAGS BODY.PEEK[TEXT])\r\n")
	<-held.entered
	other.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
	other.ok("EXPUNGE")
	other.ok("STORE 1 +FLAGS.SILENT (\\Answered)")
	c.send("b NOOP\r\n")
	c.expect("* 1 EXPUNGE", "* 1 EXPUNGE", `* 1 FETCH (FLAGS (\Answered \Recent))`, "b OK NOOP completed")
	e.blobs.release()
	c.expect(`* 1 FETCH (UID 3 FLAGS (\Answered \Recent) BODY[TEXT] {8}`, "Body 3", ")",
		"a OK [EXPUNGEISSUED] Some of the messages no longer exist")
}

// Flags that were told to the client meanwhile are not taken back by a FETCH that read them before.
func TestPipelineFlagsDoNotGoBack(t *testing.T) {
	e, c, held := pipelining(t, 2)
	other := e.login(t)
	other.ok("SELECT INBOX")
	c.send("a FETCH 1 (FLAGS BODY.PEEK[TEXT])\r\n")
	<-held.entered
	other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
	c.send("b NOOP\r\n")
	c.expect(`* 1 FETCH (FLAGS (\Flagged \Recent))`, "b OK NOOP completed")
	e.blobs.release()
	c.expect(`* 1 FETCH (FLAGS (\Flagged \Recent) BODY[TEXT] {8}`, "Body 1", ")", "a OK FETCH completed")
}

func TestPipelineLogoutWaits(t *testing.T) {
	e, c, held := pipelining(t, 1)
	c.send("a FETCH 1 BODY.PEEK[TEXT]\r\nb LOGOUT\r\nc NOOP\r\n")
	<-held.entered
	e.blobs.release()
	c.expect("* 1 FETCH (BODY[TEXT] {8}", "Body 1", ")", "a OK FETCH completed", "* BYE Logging out", "b OK LOGOUT completed", closed)
}

// A connection that is lost gives up what it was waiting for.
func TestPipelineConnectionLost(t *testing.T) {
	_, c, held := pipelining(t, 1)
	c.send("a FETCH 1 BODY.PEEK[TEXT]\r\n")
	<-held.entered
	_ = c.conn.Close()
	<-held.cancelled
}

// Many more than may run at once: all are answered.
func TestPipelineMany(t *testing.T) {
	const n = 5 * maxBeside
	e, c, held := pipelining(t, n)
	var in strings.Builder
	want := map[string]bool{}
	for i := range n {
		fmt.Fprintf(&in, "a%d FETCH %d (FLAGS BODY.PEEK[TEXT])\r\n", i, i+1)
		want[fmt.Sprintf("a%d OK FETCH completed", i)] = true
	}
	c.send(in.String())
	<-held.entered
	e.blobs.release()
	for len(want) > 0 {
		line := c.line()
		if line == closed {
			t.Fatal("connection closed")
		}
		delete(want, line)
	}
}

// panicking is a command that fails badly while it waits for storage.
type panicking struct{}

func (panicking) run(_ context.Context, s *session) error {
	return s.away(func() error { panic("faultyStore: a test") })
}

func TestPipelinePanic(t *testing.T) {
	commands["XPANIC"] = &command{name: "XPANIC", states: anyState, own: true, order: beside(0, 0),
		parse: func(*wire.Parser) (runner, error) { return panicking{}, nil }}
	defer delete(commands, "XPANIC")
	e, c, held := pipelining(t, 1)
	bystander := e.login(t)
	c.send("a FETCH 1 BODY.PEEK[TEXT]\r\n")
	<-held.entered
	c.send("b XPANIC\r\n")
	<-held.cancelled
	c.expect("* BYE [SERVERBUG] Internal error", closed)
	bystander.ok("NOOP")
	if e.panics.Load() != 1 {
		t.Errorf("%d panics logged", e.panics.Load())
	}
}
