package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// PushOptions say where to deliver and where to watch.
type PushOptions struct {
	LMTP   string
	Server IMAPServer // logs in as User; messages are delivered to User
	Count  int
	Size   int
}

// Push measures the time from LMTP's 250 on one node to EXISTS in an IDLE session, on another node or the same. A negative
// time (EXISTS came before the 250 was read) counts as 0.
func Push(ctx context.Context, o PushOptions) (Result, error) {
	c, err := o.Server.login(ctx)
	if err != nil {
		return Result{}, err
	}
	defer c.conn.Close()
	if _, err := c.command("SELECT INBOX"); err != nil {
		return Result{}, err
	}
	if _, err := c.conn.Write([]byte("i IDLE\r\n")); err != nil {
		return Result{}, err
	}
	if line, err := c.line(); err != nil || !strings.HasPrefix(line, "+") {
		return Result{}, fmt.Errorf("IDLE: %q, %w", line, err)
	}
	seen := make(chan time.Time, o.Count)
	failed := make(chan error, 1)
	go func() {
		for {
			line, err := c.line()
			if err != nil {
				failed <- err
				return
			}
			if strings.HasSuffix(line, " EXISTS") {
				seen <- time.Now()
			}
		}
	}()
	l, err := dialLMTP(ctx, o.LMTP)
	if err != nil {
		return Result{}, err
	}
	defer l.conn.Close()
	rnd := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	var latencies []time.Duration
	start := time.Now()
	for range o.Count {
		refused, err := l.deliver("bench@example.org", o.Server.User, Message(rnd, "bench@example.org", o.Server.User, o.Size))
		if err != nil {
			return Result{}, err
		}
		if refused != nil {
			return Result{}, refused
		}
		acked := time.Now()
		select {
		case at := <-seen:
			latencies = append(latencies, max(at.Sub(acked), 0))
		case err := <-failed:
			return Result{}, err
		case <-time.After(time.Minute):
			return Result{}, fmt.Errorf("no EXISTS within a minute after delivery %d", len(latencies)+1)
		}
	}
	return summarise("push to IDLE", time.Since(start), 0, latencies), nil
}
