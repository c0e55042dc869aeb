package integration

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// Thousands of tiny messages for one address come in at two nodes while POP3 sessions at both fetch and delete what there is: each
// message is fetched exactly once.
func TestOneAddressFetchedAllTheTime(t *testing.T) {
	const senders, each = 8, 250
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(1)
	at := []*nodes.Node{c.Start(), c.Start()}
	const user = "user1@example.test"
	deadline := time.Now().Add(5 * time.Minute)

	var delivering sync.WaitGroup
	errs := make(chan error, senders)
	for s := range senders {
		delivering.Go(func() { errs <- deliverTiny(at[s%2].LMTP, user, s, each) })
	}
	delivered := make(chan struct{})
	go func() { // ends with the senders
		delivering.Wait()
		close(delivered)
	}()
	seen := make(map[string]int)
	for turn, last := 0, false; !last; turn++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d messages in five minutes", len(seen), senders*each)
		}
		select {
		case <-delivered: // one more session has everything
			last = true
		default:
		}
		for _, subject := range popAll(t, at[turn%2].POP3, user, deadline) {
			seen[subject]++
		}
	}
	for range senders {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	for s := range senders {
		for i := range each {
			if n := seen[fmt.Sprintf("%d-%d", s, i)]; n != 1 {
				t.Errorf("message %d-%d was fetched %d times", s, i, n)
			}
		}
	}
	if left := popAll(t, at[0].POP3, user, deadline); len(seen) != senders*each || len(left) != 0 {
		t.Errorf("%d messages, %d left", len(seen), len(left))
	}
}

func deliverTiny(addr, to string, sender, n int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	for i := range n {
		if err := c.Mail("ada@example.org", nil); err != nil {
			return err
		}
		if err := c.Rcpt(to, nil); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "Subject: %d-%d\r\n\r\n.\r\n", sender, i); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

// popAll fetches and deletes everything in one pipelined session, and returns the subjects.
func popAll(t *testing.T, addr, user string, deadline time.Time) []string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	reply := func() string {
		t.Helper()
		line, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "+OK") {
			t.Fatalf("%q, %v", line, err)
		}
		return line
	}
	fmt.Fprintf(conn, "USER %s\r\nPASS %s\r\nSTAT\r\n", user, nodes.Password)
	for range 3 {
		reply()
	}
	var n, octets int
	if _, err := fmt.Sscanf(reply(), "+OK %d %d", &n, &octets); err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() { // ends with the commands or the connection
		defer close(sent)
		w := bufio.NewWriter(conn)
		for i := range n {
			fmt.Fprintf(w, "RETR %d\r\nDELE %d\r\n", i+1, i+1)
		}
		fmt.Fprint(w, "QUIT\r\n")
		_ = w.Flush() // the replies tell
	}()
	var subjects []string
	for range n {
		reply()
		for line := ""; line != ".\r\n"; {
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if subject, ok := strings.CutPrefix(line, "Subject: "); ok {
				subjects = append(subjects, strings.TrimSpace(subject))
			}
		}
		reply()
	}
	reply()
	<-sent
	return subjects
}
