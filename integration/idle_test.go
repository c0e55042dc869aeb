package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/integration/nodes"
)

// idle starts IDLE and returns the times at which EXISTS came, and each number.
func (c *imapConn) idle(t *testing.T) <-chan idleExists {
	t.Helper()
	if _, err := c.Write([]byte("idle IDLE\r\n")); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := c.response()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "+") {
			break
		}
		if err := c.follow(line); err != nil {
			t.Fatal(err)
		}
	}
	ch := make(chan idleExists, 10000)
	go func() {
		defer close(ch)
		for {
			line, err := c.response()
			if err != nil || strings.HasPrefix(line, "idle ") {
				return
			}
			at := time.Now()
			if err := c.follow(line); err != nil {
				ch <- idleExists{err: err}
				return
			}
			var n int
			if k, _ := fmt.Sscanf(line, "* %d EXISTS", &n); k == 1 && strings.HasSuffix(line, " EXISTS") {
				ch <- idleExists{n: n, at: at}
			}
		}
	}()
	return ch
}

// idleExists is an EXISTS that came during IDLE.
type idleExists struct {
	n   int
	at  time.Time
	err error
}

// await returns when the mailbox has reached n messages.
func await(t *testing.T, ch <-chan idleExists, n int, within time.Duration) time.Time {
	t.Helper()
	timeout := time.After(within)
	for {
		select {
		case e, ok := <-ch:
			if !ok {
				t.Fatalf("IDLE ended before message %d was announced", n)
			}
			if e.err != nil {
				t.Fatal(e.err)
			}
			if e.n >= n {
				return e.at
			}
		case <-timeout:
			t.Fatalf("IDLE did not announce message %d within %v", n, within)
		}
	}
}

// TestIdleSeesOtherNode measures how long IDLE on node B takes to see a delivery on node A.
func TestIdleSeesOtherNode(t *testing.T) {
	c := nodes.NewCluster(t, nodes.Own{})
	c.Accounts(1)
	a, b := c.Start(), c.Start()
	watcher := dialIMAP(t, b.IMAP, "user1")
	if res, err := watcher.selectMailbox("INBOX"); err != nil || res.status != "OK" {
		t.Fatalf("SELECT: %+v, %v", res, err)
	}
	ch := watcher.idle(t)
	lmtp, err := dialLMTP(a.LMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer lmtp.Close()
	var delays []time.Duration
	for i := range 100 {
		replies, err := lmtp.deliver(testMessage(fmt.Sprintf("idle-%d", i), 20), "user1@example.test")
		if err != nil || replies[0][0] != '2' {
			t.Fatalf("delivery: %q, %v", replies, err)
		}
		answered := time.Now()
		// With no hint at all a poll would find it within some 10 seconds: a minute would mean it is lost.
		delays = append(delays, max(0, await(t, ch, i+1, time.Minute).Sub(answered)))
	}
	slices.Sort(delays)
	t.Logf("from 250 on node A to EXISTS on node B: p50 %v, p99 %v", delays[50], delays[99])
	if delays[50] > 2*time.Second {
		t.Errorf("hints do not arrive: the median delay is %v", delays[50])
	}
}

// TestRedisRestartsDuringIdle proves that hints are only hints: nothing is missed while Redis is away, and hints are back
// after it is.
func TestRedisRestartsDuringIdle(t *testing.T) {
	c := nodes.NewCluster(t, nodes.Own{Redis: true})
	c.Accounts(1)
	a, b := c.Start(), c.Start()
	watcher := dialIMAP(t, b.IMAP, "user1")
	if res, err := watcher.selectMailbox("INBOX"); err != nil || res.status != "OK" {
		t.Fatalf("SELECT: %+v, %v", res, err)
	}
	ch := watcher.idle(t)
	n := 0
	deliver := func(count int) {
		t.Helper()
		for range count {
			n++
			mustDeliver(t, a.LMTP, testMessage(fmt.Sprintf("redis-%d", n), 3), "user1@example.test")
		}
	}
	deliver(5)
	await(t, ch, n, time.Minute)
	if err := c.Redis.Stop(); err != nil {
		t.Fatal(err)
	}
	deliver(10)
	stopped := time.Now()
	await(t, ch, n, time.Minute)
	t.Logf("without Redis IDLE saw ten deliveries after %v", time.Since(stopped).Round(time.Millisecond))
	deliver(5)
	if err := c.Redis.Start(); err != nil {
		t.Fatal(err)
	}
	deliver(5)
	await(t, ch, n, time.Minute)
	nodes.Eventually(t, time.Minute, "hints are back", func() error {
		deliver(1)
		start := time.Now()
		await(t, ch, n, time.Minute)
		if d := time.Since(start); d > time.Second {
			return fmt.Errorf("EXISTS took %v", d)
		}
		return nil
	})
	if _, err := watcher.Write([]byte("DONE\r\n")); err != nil {
		t.Fatal(err)
	}
	for range ch { // to the end of IDLE
	}
	if len(watcher.uids) != n {
		t.Errorf("IDLE announced %d messages of %d", len(watcher.uids), n)
	}
}
