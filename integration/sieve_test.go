package integration

import (
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// sieveSite is a cluster of two nodes with one Postfix that is both the MTA in front of them, through a balancer, and the
// submission server behind them; what they send comes back to them, to accounts of elsewhere.test.
type sieveSite struct {
	t       *testing.T
	c       *nodes.Cluster
	a, b    *nodes.Node
	postfix *servers.Process
	smtp    string
}

func newSieveSite(t *testing.T, accounts ...string) *sieveSite {
	t.Helper()
	s := &sieveSite{t: t, c: nodes.NewCluster(t, nodes.Own{})}
	var csv strings.Builder
	for _, a := range accounts {
		fmt.Fprintf(&csv, "%s,%s\n", a, nodes.Password)
	}
	s.c.CLI("account", "import", s.write("accounts.csv", csv.String()))
	lmtp := []string{listenertest.FreeAddr(t), listenertest.FreeAddr(t)}
	s.postfix, s.smtp = servers.StartPostfix(t, "example.test, elsewhere.test", nodes.Balancer(t, lmtp...))
	start := func(lmtp string) *nodes.Node {
		return s.c.Start("ROOKERY_LMTP_LISTEN="+lmtp, "ROOKERY_OUTBOUND_SUBMISSION=smtp://"+s.smtp+"?tls=none", "ROOKERY_HOSTNAME=node.example.test")
	}
	s.a, s.b = start(lmtp[0]), start(lmtp[1])
	return s
}

func (s *sieveSite) write(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *sieveSite) script(account, source string) {
	s.t.Helper()
	s.c.CLI("sieve", "put", "--account", account, "--activate", "main", s.write("main.sieve", source))
}

func (s *sieveSite) send(from, to, token string) {
	s.t.Helper()
	msg := strings.Replace(string(testMessage(token, 5)), "To: somebody@example.test", "To: "+to, 1)
	if err := smtp.SendMail(s.smtp, nil, from, []string{to}, []byte(msg)); err != nil {
		s.t.Fatalf("Postfix did not take %s: %v", token, err)
	}
}

// subjects counts the messages of a mailbox by subject.
func (s *sieveSite) subjects(n *nodes.Node, user, mailbox string) (map[string]int, error) {
	conn, err := tryIMAP(n.IMAP, user)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	out := map[string]int{}
	for _, raw := range conn.bodies(s.t, mailbox) {
		_, rest, _ := strings.Cut(raw, "Subject: ")
		subject, _, _ := strings.Cut(rest, "\r\n")
		out[subject]++
	}
	return out, nil
}

// wait waits until a mailbox has the subjects, each at least once, and returns how often.
func (s *sieveSite) wait(n *nodes.Node, user, mailbox string, within time.Duration, want ...string) map[string]int {
	s.t.Helper()
	var got map[string]int
	nodes.Eventually(s.t, within, user+" has all in "+mailbox, func() (err error) {
		if got, err = s.subjects(n, user, mailbox); err != nil {
			return err
		}
		missing := 0
		for _, w := range want {
			if got[w] == 0 {
				missing++
			}
		}
		if missing > 0 {
			time.Sleep(200 * time.Millisecond) // reading all bodies again and again would be the load
			return fmt.Errorf("%d of %d are missing\n%s\n%s", missing, len(want), s.c.CLI("queue", "list"), s.postfix.Log())
		}
		return nil
	})
	return got
}

// TestSieveThroughPostfix files, redirects, answers and rejects with a real MTA on both sides.
func TestSieveThroughPostfix(t *testing.T) {
	s := newSieveSite(t, "user@example.test", "reject@example.test", "plain@example.test", "sink@elsewhere.test", "sender@elsewhere.test")
	s.script("user@example.test", `require ["fileinto", "mailbox", "copy", "vacation", "imap4flags"];
if header "Subject" "filed" { fileinto :create "Lists/Go"; stop; }
redirect :copy "sink@elsewhere.test";
vacation :subject "Away" "I am away.";`)
	s.script("reject@example.test", `require "reject"; reject "Not wanted here";`)
	s.send("sender@elsewhere.test", "user@example.test", "filed")
	s.wait(s.b, "user@example.test", "Lists/Go", time.Minute, "filed")

	// Two nodes, many messages at once, one answer.
	var tokens []string
	for i := range 20 {
		tokens = append(tokens, fmt.Sprintf("redirected-%d", i))
		s.send("sender@elsewhere.test", "user@example.test", tokens[i])
	}
	s.wait(s.a, "user@example.test", "INBOX", time.Minute, tokens...)
	for token, n := range s.wait(s.b, "sink@elsewhere.test", "INBOX", time.Minute, tokens...) {
		if n != 1 {
			t.Errorf("%s was redirected %d times", token, n)
		}
	}
	if got := s.wait(s.b, "sender@elsewhere.test", "INBOX", time.Minute, "Away"); got["Away"] != 1 {
		t.Errorf("%d answers", got["Away"])
	}

	// A rejection is a bounce of the MTA's.
	s.send("sender@elsewhere.test", "reject@example.test", "rejected")
	s.wait(s.a, "sender@elsewhere.test", "INBOX", time.Minute, "Undelivered Mail Returned to Sender")

	msg := strings.Replace(string(testMessage("spam", 5)), "Subject:", "X-Spam: Yes\r\nSubject:", 1)
	if err := smtp.SendMail(s.smtp, nil, "sender@elsewhere.test", []string{"plain@example.test"}, []byte(msg)); err != nil {
		t.Fatal(err)
	}
	s.wait(s.a, "plain@example.test", "Junk", time.Minute, "spam")

	nodes.Eventually(t, time.Minute, "the queue is empty", func() error {
		if list := s.c.CLI("queue", "list"); strings.Count(list, "\n") > 1 {
			return fmt.Errorf("%s", list)
		}
		return nil
	})
}

// TestKillNodeDuringRedirects kills a node with SIGKILL in the middle of messages that are redirected and answered: none is
// lost on any way; a message comes twice only if its node died between taking it and saying so.
func TestKillNodeDuringRedirects(t *testing.T) {
	const senders, messages = 5, 400
	accounts := []string{"user@example.test", "sink@elsewhere.test"}
	for i := range senders {
		accounts = append(accounts, fmt.Sprintf("sender%d@elsewhere.test", i))
	}
	s := newSieveSite(t, accounts...)
	s.script("user@example.test", `require ["copy", "vacation"]; redirect :copy "sink@elsewhere.test"; vacation :subject "Away" "I am away.";`)
	var tokens []string
	for i := range messages {
		tokens = append(tokens, fmt.Sprintf("kill-%04d", i))
	}
	var wg sync.WaitGroup
	third := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < messages; i += 4 {
				s.send(fmt.Sprintf("sender%d@elsewhere.test", i%senders), "user@example.test", tokens[i])
				if i == messages/3 {
					close(third)
				}
			}
		})
	}
	<-third
	nodes.Eventually(t, time.Minute, "something is being sent", func() error {
		if list := s.c.CLI("queue", "list", "--json"); !strings.Contains(list, `"sending": true`) {
			return fmt.Errorf("%s", list)
		}
		return nil
	})
	s.a.Kill()
	wg.Wait()
	kept := s.wait(s.b, "user@example.test", "INBOX", 3*time.Minute, tokens...)
	sent := s.wait(s.b, "sink@elsewhere.test", "INBOX", 4*time.Minute, tokens...)
	twice := func(got map[string]int) (n int) {
		for _, k := range got {
			if k > 1 {
				n++
			}
		}
		return n
	}
	t.Logf("kept twice: %d, redirected twice: %d", twice(kept), twice(sent))
	// Postfix has at most 8 connections to the nodes, a node 4 to Postfix.
	if twice(kept) > 8 || twice(sent) > 4+8 {
		t.Error("more came twice than was under way when the node died")
	}
	for i := range senders {
		if got := s.wait(s.b, fmt.Sprintf("sender%d@elsewhere.test", i), "INBOX", 2*time.Minute, "Away"); got["Away"] > 2 {
			t.Errorf("sender%d got %d answers", i, got["Away"])
		}
	}
}
