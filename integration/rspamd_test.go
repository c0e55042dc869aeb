package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
	"github.com/rookery-mail/rookery/integration/servers"
)

// TestRspamdLearnsFromJunk moves messages into Junk, out of it, and into Trash, by IMAP on two nodes, and asks a real rspamd what it has
// learned. A script runs at the same events.
func TestRspamdLearnsFromJunk(t *testing.T) {
	c := nodes.NewCluster(t, nodes.Own{})
	filter := servers.StartRspamd(t)
	const user = "user@example.test"
	s := &sieveSite{t: t, c: c}
	c.CLI("account", "import", s.write("accounts.csv", user+","+nodes.Password+"\n"))
	c.CLI("sieve", "put", "--scope", "shared", "mark", s.write("mark.sieve", `require ["imapsieve", "environment", "imap4flags"];
if environment :is "imap.user" "`+user+`" { addflag "ByHand"; }`))
	env := []string{"ROOKERY_SPAM_RSPAMD_URL=" + filter.URL, "ROOKERY_SPAM_RSPAMD_PASSWORD=" + servers.RspamdPassword, `ROOKERY_SIEVE_IMAP_EVENTS=*>\Junk=mark`}
	a, b := c.Start(env...), c.Start(env...)

	conn := dialIMAP(t, a.IMAP, user)
	must := func(format string, args ...any) result {
		t.Helper()
		res, err := conn.cmd(format, args...)
		if err != nil || res.status != "OK" {
			t.Fatalf("%s: %+v, %v", format, res, err)
		}
		return res
	}
	must(`CREATE Spam (USE (\Junk))`)
	must(`CREATE Bin (USE (\Trash))`)
	const messages = 6
	for i := range messages {
		msg := strings.ReplaceAll(string(testMessage(fmt.Sprintf("lesson-%d", i), 20)), "\r\n\r\n", fmt.Sprintf("\r\n\r\nBuy cheap pills number%d today, click here now.\r\n", i))
		must("APPEND INBOX {%d+}\r\n%s", len(msg), msg)
	}
	learned := func(want servers.RspamdStat) {
		t.Helper()
		nodes.Eventually(t, 4*time.Minute, fmt.Sprintf("rspamd has learned %+v", want), func() error {
			got, err := filter.Stat()
			if err == nil && got != want {
				err = fmt.Errorf("%+v", got)
			}
			return err
		})
	}
	must("SELECT INBOX")
	must("MOVE 1:%d Spam", messages)
	learned(servers.RspamdStat{Learned: messages, Spam: messages})
	must("SELECT Spam")
	nodes.Eventually(t, 4*time.Minute, "the script has run", func() error {
		if res := must("SEARCH KEYWORD ByHand"); !strings.Contains(strings.Join(res.untagged, " "), "SEARCH 1 2 3 4 5 6") {
			return fmt.Errorf("%v", res.untagged)
		}
		return nil
	})

	// On the other node: two thrown away, which teaches nothing, and the rest back to INBOX.
	conn = dialIMAP(t, b.IMAP, user)
	must("SELECT Spam")
	must("MOVE 1:2 Bin")
	must("MOVE 1:4 INBOX")
	learned(servers.RspamdStat{Learned: messages + 4, Spam: 2, Ham: 4})

	// While it does not answer nobody waits for it; then it learns what it missed.
	if err := filter.Pause(); err != nil {
		t.Fatal(err)
	}
	must("SELECT Bin")
	must("COPY 1:2 INBOX")
	must("COPY 1:2 Spam")
	if err := filter.Resume(); err != nil {
		t.Fatal(err)
	}
	must("SELECT INBOX")
	must("MOVE 1:4 Spam")
	learned(servers.RspamdStat{Learned: messages + 8, Spam: messages})
}
