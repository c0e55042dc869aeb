package bench

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// IdleOptions say how many connections to keep idle, and which process to watch meanwhile.
type IdleOptions struct {
	Server      IMAPServer // User with %d is filled with 1 to Users
	Users       int
	Connections int
	Compress    bool          // COMPRESS=DEFLATE before IDLE
	PID         int           // of the server
	Settle      time.Duration // how long to wait before memory is read
	LMTP        string        // where to deliver to, once that is done; "": nowhere
	Deliver     int           // how many of the connections a message comes to
	Progress    func(done int)
}

// Idle opens connections that select INBOX and IDLE, and measures what each costs the server in memory and processor time; then,
// with LMTP, the time from 250 to EXISTS while a message comes to each of some of them.
func Idle(ctx context.Context, o IdleOptions) ([]Result, error) {
	before, err := residentKB(o.PID)
	if err != nil {
		return nil, err
	}
	clients := make([]*imapClient, o.Connections)
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.conn.Close()
			}
		}
	}()
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range clients {
		g.Go(func() error {
			c, err := o.idle(gctx, i)
			clients[i] = c
			if err == nil && o.Progress != nil {
				o.Progress(1)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	took := time.Since(start)
	connected, err := residentKB(o.PID)
	if err != nil {
		return nil, err
	}
	cpu, err := cpuDuring(o.PID, func() error {
		select {
		case <-time.After(o.Settle):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return nil, err
	}
	after, err := residentKB(o.PID)
	if err != nil {
		return nil, err
	}
	r := summarise("idle connections", took, 0, nil)
	r.Count, r.Connections = o.Connections, o.Connections
	r.PerSecond = float64(o.Connections) / took.Seconds()
	r.Extra = Extra{
		"kb_per_connection":      float64(after-before) / float64(o.Connections),
		"rss_before_mb":          float64(before) / 1024,
		"rss_connected_mb":       float64(connected) / 1024,
		"rss_after_mb":           float64(after) / 1024,
		"cpu_percent_idle":       100 * cpu.Seconds() / o.Settle.Seconds(),
		"cpu_seconds_per_minute": 60 * cpu.Seconds() / o.Settle.Seconds(),
	}
	results := []Result{r}
	if o.LMTP != "" {
		r, err := o.arrive(ctx, clients)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// user returns who logs in on the connection with an index.
func (o *IdleOptions) user(i int) string {
	if strings.Contains(o.Server.User, "%d") {
		return fmt.Sprintf(o.Server.User, i%o.Users+1)
	}
	return o.Server.User
}

// idle opens a connection that idles.
func (o *IdleOptions) idle(ctx context.Context, i int) (*imapClient, error) {
	server := o.Server
	server.User = o.user(i)
	c, err := server.login(ctx)
	if err != nil {
		return nil, err
	}
	if o.Compress {
		if err := c.compress(); err != nil {
			return c, err
		}
	}
	if _, err := c.command("SELECT INBOX"); err != nil {
		return c, err
	}
	if _, err := c.conn.Write([]byte("i IDLE\r\n")); err != nil {
		return c, err
	}
	if line, err := c.line(); err != nil || !strings.HasPrefix(line, "+") {
		return c, fmt.Errorf("IDLE: %q, %w", line, err)
	}
	if i%o.users() >= o.recipients() {
		c.r = nil // nobody reads it: what a client holds is not what is measured
	}
	return c, nil
}

// recipients returns how many users get a message, so that it comes to Deliver connections or some more.
func (o *IdleOptions) recipients() int {
	users := o.users()
	return min((o.Deliver*users+o.Connections-1)/max(o.Connections, 1), users)
}

func (o *IdleOptions) users() int {
	if strings.Contains(o.Server.User, "%d") {
		return max(min(o.Users, o.Connections), 1)
	}
	return 1
}

// arrive delivers one message to each of the first users, and waits until all of their connections have said so.
func (o *IdleOptions) arrive(ctx context.Context, clients []*imapClient) (Result, error) {
	users, n := o.users(), o.recipients()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	acked, seen := make([]time.Time, n), make([]time.Time, len(clients))
	rnd := rand.New(rand.NewPCG(11, uint64(time.Now().UnixNano())))
	messages := make([][]byte, n)
	for i := range messages {
		messages[i] = Message(rnd, "bench@example.org", o.user(i), 4096)
	}
	var took time.Duration
	cpu, err := cpuDuring(o.PID, func() error {
		g, gctx := errgroup.WithContext(ctx)
		for i, c := range clients {
			if i%users >= n {
				continue
			}
			g.Go(func() (err error) {
				seen[i], err = c.awaitExists(gctx)
				return err
			})
		}
		start := time.Now()
		var next atomic.Int64
		for range min(8, n) {
			g.Go(func() error {
				l, err := dialLMTP(gctx, o.LMTP)
				if err != nil {
					return err
				}
				defer l.conn.Close()
				for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
					refused, err := l.deliver("bench@example.org", o.user(int(i)), messages[i])
					if err := cmp.Or(err, refused); err != nil {
						return err
					}
					acked[i] = time.Now()
				}
				return nil
			})
		}
		err := g.Wait()
		took = time.Since(start)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	var latencies []time.Duration
	for i := range clients {
		if user := i % users; user < n {
			latencies = append(latencies, max(seen[i].Sub(acked[user]), 0))
		}
	}
	r := summarise("a message in each of some", took, 0, latencies)
	r.Connections = len(clients)
	r.Extra = Extra{"cpu_seconds": cpu.Seconds(), "deliveries": float64(n)}
	after, err := residentKB(o.PID)
	r.Extra["rss_after_mb"] = float64(after) / 1024
	return r, err
}

// awaitExists returns when EXISTS has come in.
func (c *imapClient) awaitExists(ctx context.Context) (time.Time, error) {
	defer context.AfterFunc(ctx, func() { _ = c.conn.SetReadDeadline(time.Now()) })()
	for {
		line, err := c.line()
		if err != nil {
			return time.Time{}, fmt.Errorf("waiting for EXISTS: %w", err)
		}
		if strings.HasSuffix(line, " EXISTS") {
			return time.Now(), nil
		}
	}
}

// cpuDuring returns the processor time that a process uses while fn runs.
func cpuDuring(pid int, fn func() error) (time.Duration, error) {
	before, err := CPUTime(pid)
	if err != nil {
		return 0, err
	}
	if err := fn(); err != nil {
		return 0, err
	}
	after, err := CPUTime(pid)
	return after - before, err
}

// residentKB returns the resident memory of a process on Linux.
func residentKB(pid int) (int64, error) { return statusKB(pid, "VmRSS") }

// PeakMB returns the most resident memory a process has had, on Linux.
func PeakMB(pid int) (float64, error) {
	kb, err := statusKB(pid, "VmHWM")
	return float64(kb) / 1024, err
}

// statusKB returns a line of a process's status.
func statusKB(pid int, name string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s for process %d", name, pid)
}

// CPUTime returns the processor time a process has used, in user and system mode.
func CPUTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The command's name, in parentheses, may hold anything; fields are counted after it. utime and stime are 14 and 15.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil // USER_HZ is 100 on every Linux that matters
}
