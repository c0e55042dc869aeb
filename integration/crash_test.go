package integration

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// load delivers messages over several connections until all are tried or the server is gone, and remembers what was
// acknowledged.
type load struct {
	mu       sync.Mutex        // guards what follows
	acked    map[string]string // token -> recipient
	tried    map[string]string
	refused  []string // replies that were not 2xx
	finished chan struct{}
	first    chan struct{} // closed when a third of the messages is acknowledged
}

func startLoad(addr string, connections, messages, users int) *load {
	l := &load{acked: map[string]string{}, tried: map[string]string{}, finished: make(chan struct{}), first: make(chan struct{})}
	next := make(chan int, messages)
	for i := range messages {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			conn, err := dialLMTP(addr)
			if err != nil {
				return
			}
			defer conn.Close()
			for i := range next {
				token := fmt.Sprintf("load-%05d", i)
				to := fmt.Sprintf("user%d@example.test", i%users+1)
				l.mu.Lock()
				l.tried[token] = to
				l.mu.Unlock()
				replies, err := conn.deliver(testMessage(token, 30), to)
				if err != nil {
					return
				}
				l.mu.Lock()
				if replies[0][0] == '2' {
					l.acked[token] = to
					if len(l.acked) == messages/3 {
						close(l.first)
					}
				} else {
					l.refused = append(l.refused, replies[0])
				}
				l.mu.Unlock()
			}
		}()
	}
	go func() {
		wg.Wait()
		close(l.finished)
	}()
	return l
}

// verify reads every mailbox through addr: each acknowledged message is there exactly as sent, once; nothing is there that
// was not sent; UIDs have no hole and no repetition.
func (l *load) verify(t *testing.T, addr string, users int) {
	t.Helper()
	found := map[string]string{}
	for i := 1; i <= users; i++ {
		user := fmt.Sprintf("user%d@example.test", i)
		conn := dialIMAP(t, addr, user)
		bodies := conn.bodies(t, "INBOX")
		if len(bodies) != len(conn.uids) {
			t.Errorf("%s: %d bodies of %d messages", user, len(bodies), len(conn.uids))
		}
		for i, uid := range conn.uids {
			if uid != uint32(i+1) {
				t.Errorf("%s: message %d has UID %d: a hole or a repetition", user, i+1, uid)
				break
			}
		}
		for uid, raw := range bodies {
			_, rest, _ := strings.Cut(raw, "Subject: ")
			token, _, _ := strings.Cut(rest, "\r\n")
			if l.tried[token] != user {
				t.Errorf("%s has UID %d, %q, which was sent to %q", user, uid, token, l.tried[token])
				continue
			}
			if found[token] != "" {
				t.Errorf("%s is there twice", token)
			}
			found[token] = user
			if !strings.HasSuffix(raw, string(testMessage(token, 30))) {
				t.Errorf("%s differs from what was sent", token)
			}
		}
	}
	for token, user := range l.acked {
		if found[token] != user {
			t.Errorf("%s to %s was answered 250 and is not there", token, user)
		}
	}
	t.Logf("%d tried, %d acknowledged, %d found, %d refused", len(l.tried), len(l.acked), len(found), len(l.refused))
}

// TestKillNodeDuringLoad kills a node with SIGKILL in the middle of 2,000 deliveries.
func TestKillNodeDuringLoad(t *testing.T) {
	const users = 10
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(users)
	a, b := c.Start(), c.Start()
	l := startLoad(a.LMTP, 16, 2000, users)
	select {
	case <-l.first:
	case <-l.finished:
		t.Fatalf("the load ended before a third was acknowledged: %q", l.refused[:min(3, len(l.refused))])
	case <-time.After(2 * time.Minute):
		t.Fatal("no third of the load was acknowledged within two minutes")
	}
	a.Kill()
	<-l.finished
	if len(l.acked) == 2000 {
		t.Fatal("the node was killed too late to prove anything")
	}
	if len(l.refused) > 0 {
		t.Errorf("%d refused: %q", len(l.refused), l.refused[:min(3, len(l.refused))])
	}
	l.verify(t, b.IMAP, users)
	// The other node goes on where the dead one stopped.
	for i := 1; i <= users; i++ {
		mustDeliver(t, b.LMTP, testMessage("after", 3), fmt.Sprintf("user%d@example.test", i))
	}
}

// TestTerminateDuringLoad ends a node with SIGTERM under load: what it has in hand is committed or answered 421.
func TestTerminateDuringLoad(t *testing.T) {
	const users = 10
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(users)
	a, b := c.Start(), c.Start()
	idler := dialIMAP(t, a.IMAP, "user1")
	idler.ok(t, "SELECT INBOX")
	l := startLoad(a.LMTP, 8, 1000, users)
	select {
	case <-l.first:
	case <-l.finished:
		t.Fatalf("the load ended before a third was acknowledged: %q", l.refused[:min(3, len(l.refused))])
	}
	if code := a.Terminate(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	<-l.finished
	for _, r := range l.refused {
		if !strings.HasPrefix(r, "4") {
			t.Errorf("refused with %q", r)
		}
	}
	bye := false
	for {
		line, err := idler.response()
		if err != nil {
			break
		}
		bye = bye || strings.HasPrefix(line, "* BYE")
	}
	if !bye {
		t.Error("an idle IMAP client was not told BYE")
	}
	l.verify(t, b.IMAP, users)
}

// TestMinIOPaused stops the object store for ten seconds during deliveries: senders wait or get 451, and what was
// acknowledged is stored.
func TestMinIOPaused(t *testing.T) {
	const users = 5
	c := nodes.NewCluster(t, nodes.Own{MinIO: true})
	c.Accounts(users)
	a, b := c.Start(), c.Start()
	l := startLoad(a.LMTP, 8, 600, users)
	select {
	case <-l.first:
	case <-l.finished:
		t.Fatalf("the load ended before a third was acknowledged: %q", l.refused[:min(3, len(l.refused))])
	}
	if err := c.MinIO.Pause(); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	before := len(l.acked)
	l.mu.Unlock()
	<-time.After(10 * time.Second) // how long the fault lasts
	l.mu.Lock()
	during := len(l.acked) - before
	l.mu.Unlock()
	if err := c.MinIO.Resume(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.finished:
	case <-time.After(3 * time.Minute):
		t.Fatal("deliveries did not go on after the object store came back")
	}
	// What was already on its way when it was paused may have been stored: at most one batch a lane.
	if during > 64 {
		t.Errorf("%d messages were acknowledged while nothing could be stored", during)
	}
	for _, r := range l.refused {
		if !strings.HasPrefix(r, "451") {
			t.Errorf("refused with %q", r)
		}
	}
	l.verify(t, b.IMAP, users)
}
