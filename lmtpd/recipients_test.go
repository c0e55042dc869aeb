package lmtpd

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/metadata"
)

// Two hundred pipelined recipients are resolved in few round trips and stored as one body in one pack; each has its answer, and
// one that is over quota does no harm to the others.
func TestManyRecipients(t *testing.T) {
	e := newEnv(t)
	const n = 200
	var rcpts strings.Builder
	for i := range n {
		address := fmt.Sprintf("user%d@example.org", i)
		id := metadata.NewAccountID()
		errs, err := e.store.Metadata().CreateAccounts(t.Context(), []metadata.NewAccount{{ID: id, Address: address, Mailboxes: directory.NewMailboxes()}})
		if err != nil || errs[0] != nil {
			t.Fatal(err, errs)
		}
		fmt.Fprintf(&rcpts, "RCPT TO:<User%d@Example.org>\r\n", i)
	}
	if err := e.local.SetQuota(t.Context(), "user77@example.org", 10, 0); err != nil {
		t.Fatal(err)
	}
	e.start(t, nil)
	c := e.greet(t)
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, "MAIL FROM:<a@example.net>\r\n"+rcpts.String()+"RCPT TO:<nobody@example.org>\r\nDATA\r\n")
		sent <- err
	}()
	c.expect("250")
	for range n {
		c.expect("250")
	}
	c.expect("550")
	c.expect("354")
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "Subject: all\r\n\r\nhello\r\n.\r\n"); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		want := "250 2.1.5"
		if i == 77 {
			want = "452 4.2.2"
		}
		c.expect(want)
	}
	// The input buffer holds some 8 KiB: 250 of these commands. A client's packets may come in one by one, though.
	if calls := e.dir.resolved(); calls > 20 {
		t.Errorf("%d look-ups for %d recipients", calls, n)
	}
	for _, i := range []int{0, 76, 78, 199} {
		if got := e.stored(t, fmt.Sprintf("user%d@example.org", i)); len(got) != 1 {
			t.Errorf("user%d has %d messages", i, len(got))
		}
	}
	if got := e.stored(t, "user77@example.org"); len(got) != 0 {
		t.Errorf("user77 has %d messages", len(got))
	}
	if packs := countFiles(t, e.blobDir); packs != 1 {
		t.Errorf("%d packs", packs)
	}
}

// countFiles returns how many files there are below a folder.
func countFiles(t testing.TB, dir string) int {
	t.Helper()
	n := 0
	err := filepath.Walk(filepath.Join(dir, "packs"), func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What has come in ahead is asked for once, and an answer of another transaction is not taken.
func TestRecipientsAhead(t *testing.T) {
	e := newEnv(t)
	e.account(t, "anna@example.org")
	e.account(t, "bert@example.org")
	e.start(t, nil)
	c := e.greet(t)
	batch := "MAIL FROM:<>\r\nRCPT TO:<anna@example.org>\r\nrcpt to:<bert@example.org>\r\nRCPT TO:<\"bert\"@example.org>\r\nRCPT TO: <anna@example.org>\r\n" +
		"RCPT TO:<@>\r\nRCPT TO:<bert+x@example.org> NOTIFY=NEVER\r\nRSET\r\n"
	if _, err := io.WriteString(c, batch); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"250", "250", "250", "250", "250", "501", "504", "250"} {
		c.expect(code)
	}
	if err := e.local.RemoveAccount(t.Context(), "bert@example.org"); err != nil {
		t.Fatal(err)
	}
	c.cmd("MAIL FROM:<>", "250")
	c.cmd("RCPT TO:<bert@example.org>", "550")
}

func TestReceivedAt(t *testing.T) {
	at := time.Date(2026, 11, 23, 15, 29, 58, 0, time.UTC)
	for _, tc := range []struct {
		head string
		ok   bool
	}{
		{"Received: from a by b; Mon, 23 Nov 2026 15:29:58 +0000\r\n\r\n", true},
		{"X-Spam: no\r\n more\r\nRECEIVED : from a\r\n\tby b (a; b) id c;\r\n Mon, 23 Nov 2026 16:29:58 +0100 (CET)\r\nSubject: x\r\n", true},
		{"Received: a; Mon, 23 Nov 2026 15:29:58 +0000\nReceived: b; Mon, 23 Nov 2020 15:29:58 +0000\n\n", true},
		{"Received: from a by b; Mon, 23 Nov 2026 15:29:58 +0000", false}, // perhaps not whole
		{"Received: from a by b\r\n\r\n", false},
		{"Received: from a by b; yesterday\r\n\r\n", false},
		{"Received: from a by b; Mon, 23 Nov 1926 15:29:58 +0000\r\n\r\n", false},
		{"Subject: x\r\n\r\nReceived: from a by b; Mon, 23 Nov 2026 15:29:58 +0000\r\n", false},
		{"", false}, {"\r\n", false}, {":\r\n", false},
	} {
		got, ok := receivedAt([]byte(tc.head))
		if ok != tc.ok || ok && !got.Equal(at) {
			t.Errorf("%q: %v, %v", tc.head, got, ok)
		}
	}
}

// The id of a copy is the same wherever and whenever it is made, and another one for everything that makes it another copy.
func TestFingerprint(t *testing.T) {
	const head = "Received: from a by b; Mon, 23 Nov 2026 15:29:58 +0000\r\n"
	id := func(content, from string, change func(*directory.Target)) metadata.BodyID {
		f := newFingerprint()
		for len(content) > 0 { // in pieces of any size
			n := min(len(content), 1000)
			_, _ = f.Write([]byte(content[:n]))
			content = content[n:]
		}
		target := directory.Target{Address: "team@example.org"}
		if change != nil {
			change(&target)
		}
		return f.id(from, target)
	}
	long := head + "\r\n" + strings.Repeat("x", 3*maxTrace)
	want := id(long, "a@b", nil)
	if want == (metadata.BodyID{}) || id(long, "a@b", nil) != want {
		t.Fatalf("id %v", want)
	}
	later := strings.Replace(long, "15:29:58", "15:29:59", 1)
	if next := id(later, "a@b", nil); next.String() <= want.String() {
		t.Errorf("%v is not after %v", next, want)
	}
	for name, other := range map[string]metadata.BodyID{
		"content": id(long+"y", "a@b", nil), "return path": id(long, "a@c", nil),
		"address": id(long, "a@b", func(t *directory.Target) { t.Address = "all@example.org" }),
		"mailbox": id(long, "a@b", func(t *directory.Target) { t.Mailbox = "Lists" }),
		"account": id(long, "a@b", func(t *directory.Target) { t.Account.ID[0]++ }),
	} {
		if other == want {
			t.Errorf("another %s, the same id", name)
		}
	}
	if id("Subject: x\r\n\r\n", "a@b", nil) != (metadata.BodyID{}) {
		t.Error("a message without trace has a fixed id")
	}
}
