package integration

import (
	"context"
	"fmt"
	"maps"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/rookery-mail/rookery/integration/nodes"
	"github.com/rookery-mail/rookery/integration/servers"
)

// TestPostfixDelivers sends 200 messages to 10 users through Postfix, which hands them to node A; three clients read them
// through node B.
func TestPostfixDelivers(t *testing.T) {
	const users, messages = 10, 200
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(users)
	a, b := c.Start(), c.Start()
	postfix, addr := servers.StartPostfix(t, "example.test", a.LMTP)

	sent := map[string][]string{} // address -> tokens
	for i := range messages {
		to := fmt.Sprintf("user%d@example.test", i%users+1)
		token := fmt.Sprintf("postfix-%04d", i)
		sent[to] = append(sent[to], token)
		if err := smtp.SendMail(addr, nil, "sender@example.org", []string{to}, testMessage(token, 20)); err != nil {
			t.Fatalf("Postfix did not take message %d: %v", i, err)
		}
	}
	nodes.Eventually(t, 4*time.Minute, "all messages are delivered", func() error {
		for i := 1; i <= users; i++ {
			w, err := tryIMAP(b.IMAP, fmt.Sprintf("user%d", i))
			if err != nil {
				return err
			}
			res, err := w.cmd("STATUS INBOX (MESSAGES)")
			w.Close()
			if err != nil {
				return err
			}
			if !strings.Contains(strings.Join(res.untagged, ""), fmt.Sprintf("MESSAGES %d)", messages/users)) {
				return fmt.Errorf("user%d: %q; Postfix: %s", i, res.untagged, postfix.Log())
			}
		}
		return nil
	})

	t.Run("imapclient", func(t *testing.T) {
		for i := 1; i <= users; i++ {
			user := fmt.Sprintf("user%d@example.test", i)
			readWithImapclient(t, b.IMAP, user, sent[user])
		}
	})
	t.Run("curl", func(t *testing.T) { readWithCurl(t, b.IMAP, "user2@example.test", sent["user2@example.test"]) })
	t.Run("mbsync", func(t *testing.T) { readWithMbsync(t, b.IMAP, "user3@example.test", sent["user3@example.test"]) })
}

// checkDelivered fails unless raw is the message of the token as it was sent, behind the trace fields of MTA and store.
func checkDelivered(t *testing.T, raw, token, to string) {
	t.Helper()
	if !strings.HasPrefix(raw, "Return-Path: <sender@example.org>\r\nDelivered-To: "+to+"\r\n") {
		t.Errorf("%s begins %.200q", token, raw)
	}
	if !strings.Contains(raw, "\r\n\t(forwarded id ") {
		t.Errorf("%s: no trace of XFORWARD in %.700q", token, raw)
	}
	if want := string(testMessage(token, 20)); !strings.HasSuffix(raw, want[strings.Index(want, "\r\n\r\n"):]) {
		t.Errorf("%s: body differs: %q", token, raw)
	}
}

func readWithImapclient(t *testing.T, addr, user string, tokens []string) {
	t.Helper()
	client, err := imapclient.DialInsecure(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login(user, nodes.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := client.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if int(data.NumMessages) != len(tokens) {
		t.Fatalf("%s: %d messages, want %d", user, data.NumMessages, len(tokens))
	}
	all := &imap.FetchItemBodySection{Peek: true}
	messages, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		Envelope: true, UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{all},
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		raw := m.FindBodySection(all)
		if int64(len(raw)) != m.RFC822Size {
			t.Errorf("RFC822.SIZE %d of %d bytes", m.RFC822Size, len(raw))
		}
		got = append(got, m.Envelope.Subject)
		checkDelivered(t, string(raw), m.Envelope.Subject, user)
	}
	slices.Sort(got)
	slices.Sort(tokens)
	if !slices.Equal(got, tokens) {
		t.Errorf("%s has %q, want %q", user, got, tokens)
	}
	if err := client.Logout().Wait(); err != nil {
		t.Error(err)
	}
}

func readWithCurl(t *testing.T, addr, user string, tokens []string) {
	t.Helper()
	curl := need(t, "curl")
	var got []string
	for i := 1; i <= len(tokens); i++ {
		out, err := exec.CommandContext(t.Context(), curl, "-s", "-S", "--user", user+":"+nodes.Password, fmt.Sprintf("imap://%s/INBOX;MAILINDEX=%d", addr, i)).CombinedOutput()
		if err != nil {
			t.Fatalf("curl: %v: %s", err, out)
		}
		_, rest, _ := strings.Cut(string(out), "Subject: ")
		token, _, _ := strings.Cut(rest, "\r\n")
		got = append(got, token)
		checkDelivered(t, string(out), token, user)
	}
	slices.Sort(got)
	slices.Sort(tokens)
	if !slices.Equal(got, tokens) {
		t.Errorf("curl read %q, want %q", got, tokens)
	}
}

func readWithMbsync(t *testing.T, addr, user string, tokens []string) {
	t.Helper()
	mbsync := need(t, "mbsync")
	dir := t.TempDir()
	host, port, _ := strings.Cut(addr, ":")
	config := filepath.Join(dir, "mbsyncrc")
	err := os.WriteFile(config, []byte(fmt.Sprintf(`IMAPAccount rookery
Host %s
Port %s
User %s
Pass "%s"
SSLType None
AuthMechs PLAIN

IMAPStore far
Account rookery

MaildirStore near
Path %s/
Inbox %s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
`, host, port, user, nodes.Password, dir+"/mail", dir+"/mail")), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir+"/mail", 0o755); err != nil {
		t.Fatal(err)
	}
	sync := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, mbsync, "-V", "-c", config, "-a").CombinedOutput()
		if err != nil {
			t.Fatalf("mbsync: %v\n%s", err, out)
		}
	}
	sync()
	messages, err := filepath.Glob(dir + "/mail/INBOX/[cn]*/*") // cur and new, not tmp
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) != len(tokens) {
		t.Fatalf("mbsync fetched %d messages, want %d", len(messages), len(tokens))
	}
	var got []string
	for _, f := range messages {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw := strings.ReplaceAll(string(b), "\n", "\r\n") // a Maildir has LF
		_, rest, _ := strings.Cut(raw, "Subject: ")
		token, _, _ := strings.Cut(rest, "\r\n")
		got = append(got, token)
		// mbsync puts an X-TUID into what it stores, so only the end is compared.
		want := string(testMessage(token, 20))
		if !strings.HasSuffix(raw, want[strings.Index(want, "\r\n\r\n"):]) {
			t.Errorf("%s differs", token)
		}
	}
	slices.Sort(got)
	slices.Sort(tokens)
	if !slices.Equal(got, tokens) {
		t.Errorf("mbsync read %q, want %q", got, tokens)
	}

	// The other way: a new message and a removed one.
	added := filepath.Join(dir, "mail/INBOX/cur/1700000000.1_1.host:2,S")
	if err := os.WriteFile(added, []byte("Subject: from-maildir\n\nhello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(messages[0]); err != nil {
		t.Fatal(err)
	}
	sync()
	check := dialIMAP(t, addr, user)
	bodies := check.bodies(t, "INBOX")
	if len(bodies) != len(tokens) {
		t.Errorf("after the second run the mailbox has %d messages, want %d", len(bodies), len(tokens))
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(bodies)), func(s string) bool { return strings.Contains(s, "from-maildir") }) {
		t.Error("the message put into the Maildir did not arrive")
	}
}

// need returns the path of a client program.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED: %s is not installed", name)
	}
	return path
}
