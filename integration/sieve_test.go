package integration

import (
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
)

// sieveSite is a cluster of two nodes with one Postfix that is both the MTA in front of them, through a balancer, and the
// submission server behind them; what they send comes back to them, to accounts of elsewhere.test.
type sieveSite struct {
	t          *testing.T
	c          *nodes.Cluster
	a, b       *nodes.Node
	startA     func() *nodes.Node
	tapA, tapB *nodes.SMTPTap // between the nodes and the submission server
	lmtpA      *nodes.SMTPTap // before a
	postfix    *servers.Process
	smtp       string
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
	s.lmtpA = nodes.TapSMTP(t, lmtp[0])
	s.postfix, s.smtp = servers.StartPostfix(t, "example.test, elsewhere.test", nodes.Balancer(t, s.lmtpA.Addr, lmtp[1]))
	s.tapA, s.tapB = nodes.TapSMTP(t, s.smtp), nodes.TapSMTP(t, s.smtp)
	start := func(lmtp string, tap *nodes.SMTPTap) *nodes.Node {
		return s.c.Start("ROOKERY_LMTP_LISTEN="+lmtp, "ROOKERY_OUTBOUND_SUBMISSION=smtp://"+tap.Addr+"?tls=none", "ROOKERY_HOSTNAME=node.example.test")
	}
	s.startA = func() *nodes.Node { return start(lmtp[0], s.tapA) }
	s.a, s.b = s.startA(), start(lmtp[1], s.tapB)
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
	s.wait(s.b, "user@example.test", "Lists/Go", 4*time.Minute, "filed")

	// Two nodes, many messages at once, one answer.
	var tokens []string
	for i := range 20 {
		tokens = append(tokens, fmt.Sprintf("redirected-%d", i))
		s.send("sender@elsewhere.test", "user@example.test", tokens[i])
	}
	s.wait(s.a, "user@example.test", "INBOX", 4*time.Minute, tokens...)
	for token, n := range s.wait(s.b, "sink@elsewhere.test", "INBOX", 4*time.Minute, tokens...) {
		if n != 1 {
			t.Errorf("%s was redirected %d times", token, n)
		}
	}
	if got := s.wait(s.b, "sender@elsewhere.test", "INBOX", 4*time.Minute, "Away"); got["Away"] != 1 {
		t.Errorf("%d answers", got["Away"])
	}

	// A rejection is a bounce of the MTA's.
	s.send("sender@elsewhere.test", "reject@example.test", "rejected")
	s.wait(s.a, "sender@elsewhere.test", "INBOX", 4*time.Minute, "Undelivered Mail Returned to Sender")

	msg := strings.Replace(string(testMessage("spam", 5)), "Subject:", "X-Spam: Yes\r\nSubject:", 1)
	if err := smtp.SendMail(s.smtp, nil, "sender@elsewhere.test", []string{"plain@example.test"}, []byte(msg)); err != nil {
		t.Fatal(err)
	}
	s.wait(s.a, "plain@example.test", "Junk", 4*time.Minute, "spam")

	nodes.Eventually(t, 4*time.Minute, "the queue is empty", s.queueIsEmpty)
}

func (s *sieveSite) queueIsEmpty() error {
	if list := s.c.CLI("queue", "list"); strings.Count(list, "\n") > 1 {
		time.Sleep(200 * time.Millisecond) // each look is a process
		return fmt.Errorf("%s", list)
	}
	return nil
}
