package integration

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// TestKillNodeDuringRedirects kills a node with SIGKILL in the middle of messages that are redirected and answered, while the
// submission server stands still in every stage of a transaction. Nothing is lost on any way, and nothing comes twice but what
// a server, the submission server or the node that died, had taken and not yet said so: that the sender cannot know (RFC 5321
// section 4.5.4.1).
func TestKillNodeDuringRedirects(t *testing.T) {
	const user, sink, sender = "user@example.test", "sink@elsewhere.test", "sender@elsewhere.test"
	const messages, senders = 240, 120
	const workers = 4 // a node's connections to the submission server
	s := newSieveSite(t, user, sink, sender)
	s.script(user, `require ["copy", "vacation", "envelope", "variables"];
redirect :copy "`+sink+`";
if envelope :matches "from" "sender+*@*" { vacation :handle "away" :subject "Away ${1}" "I am away."; }`)
	var tokens, answers []string
	for i := range messages {
		tokens = append(tokens, fmt.Sprintf("kill-%04d", i))
	}
	for i := range senders {
		answers = append(answers, fmt.Sprintf("Away %d", i))
	}
	var wg sync.WaitGroup
	third := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < messages; i += 4 {
				s.send(fmt.Sprintf("sender+%d@elsewhere.test", i%senders), user, tokens[i])
				if i == messages/3 {
					close(third)
				}
			}
		})
	}
	<-third
	stages := []nodes.SMTPStage{nodes.SMTPAnswer, nodes.SMTPContent, nodes.SMTPBegin}
	s.tapA.Hold(func(n int) nodes.SMTPStage { return stages[n%len(stages)] })
	nodes.Eventually(t, time.Minute, "all that the node sends stands still", func() error {
		if n := s.tapA.Held(); n != workers {
			return fmt.Errorf("%d transactions", n)
		}
		return nil
	})
	s.a.Kill()
	taken := s.tapA.Drop()
	t.Logf("the server had taken and not said so: %v", taken)
	if len(taken) == 0 {
		t.Error("no transaction stood still behind its message")
	}
	s.a = s.startA()
	wg.Wait()
	t.Logf("the node had got and not answered: %v", s.lmtpA.Lost())

	s.exactly(s.b, user, "INBOX", tokens, nil)
	s.exactly(s.a, sink, "INBOX", tokens, taken)
	s.exactly(s.b, sender, "INBOX", answers, taken)
}

// exactly waits until nothing is under way and wants every message once, and once more if the submission server took it unheard.
// What the node that died did not answer to may be there once more.
func (s *sieveSite) exactly(n *nodes.Node, user, mailbox string, subjects []string, taken []nodes.SMTPMessage) {
	s.t.Helper()
	idle := func() error {
		n, err := s.postfix.Queued()
		if n > 0 {
			err = fmt.Errorf("Postfix has %d messages", n)
		}
		return err
	}
	for _, q := range []func() error{idle, s.queueIsEmpty, idle} { // in the order in which messages pass
		nodes.Eventually(s.t, 4*time.Minute, "nothing is under way", q)
	}
	got, err := s.subjects(n, user, mailbox)
	if err != nil {
		s.t.Fatal(err)
	}
	want := map[string]int{}
	for _, subject := range subjects {
		want[subject] = 1
	}
	for _, m := range taken {
		if slices.Contains(subjects, m.Subject) {
			want[m.Subject]++
		}
	}
	for _, m := range s.lmtpA.Lost() {
		if withoutDetail(m.To) == user && got[m.Subject] == want[m.Subject]+1 {
			want[m.Subject]++
		}
	}
	for _, counts := range []map[string]int{got, want} {
		for subject := range counts {
			if got[subject] != want[subject] {
				s.t.Errorf("%s has %q %d times, not %d\n%s", user, subject, got[subject], want[subject], s.headers(n, user, mailbox, subject))
				want[subject] = got[subject]
			}
		}
	}
}

// withoutDetail returns the address of the account that mail for an address goes to.
func withoutDetail(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// headers returns the headers of all messages of a subject: their Received fields say on which way they came.
func (s *sieveSite) headers(n *nodes.Node, user, mailbox, subject string) string {
	conn := dialIMAP(s.t, n.IMAP, user)
	var b strings.Builder
	for _, raw := range conn.bodies(s.t, mailbox) {
		if header, _, _ := strings.Cut(raw, "\r\n\r\n"); strings.Contains(header, "Subject: "+subject+"\r\n") {
			b.WriteString(header + "\n\n")
		}
	}
	return b.String()
}
