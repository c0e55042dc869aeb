package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// IdleOptions say how many connections to keep idle, and which process to watch meanwhile.
type IdleOptions struct {
	Server      IMAPServer // User with %d is filled with 1 to Users
	Users       int
	Connections int
	PID         int           // of the server
	Settle      time.Duration // how long to wait before memory is read
	Progress    func(done int)
}

// Idle opens connections that select INBOX and IDLE, and measures what each costs the server in memory.
func Idle(ctx context.Context, o IdleOptions) (Result, error) {
	before, err := residentKB(o.PID)
	if err != nil {
		return Result{}, err
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
			server := o.Server
			if strings.Contains(server.User, "%d") {
				server.User = fmt.Sprintf(server.User, i%o.Users+1)
			}
			c, err := server.login(gctx)
			if err != nil {
				return err
			}
			clients[i] = c
			if _, err := c.command("SELECT INBOX"); err != nil {
				return err
			}
			if _, err := c.conn.Write([]byte("i IDLE\r\n")); err != nil {
				return err
			}
			if line, err := c.line(); err != nil || !strings.HasPrefix(line, "+") {
				return fmt.Errorf("IDLE: %q, %w", line, err)
			}
			if o.Progress != nil {
				o.Progress(1)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	took := time.Since(start)
	cpuBefore, err := CPUTime(o.PID)
	if err != nil {
		return Result{}, err
	}
	select {
	case <-time.After(o.Settle):
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	cpuAfter, err := CPUTime(o.PID)
	if err != nil {
		return Result{}, err
	}
	after, err := residentKB(o.PID)
	if err != nil {
		return Result{}, err
	}
	r := summarise("idle connections", took, 0, nil)
	r.Count, r.Connections = o.Connections, o.Connections
	r.PerSecond = float64(o.Connections) / took.Seconds()
	r.Extra = Extra{
		"kb_per_connection": float64(after-before) / float64(o.Connections),
		"rss_before_mb":     float64(before) / 1024,
		"rss_after_mb":      float64(after) / 1024,
		"cpu_percent_idle":  100 * (cpuAfter - cpuBefore).Seconds() / o.Settle.Seconds(),
	}
	return r, nil
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
