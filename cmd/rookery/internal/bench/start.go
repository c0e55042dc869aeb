package bench

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"time"
)

// Start runs a server's command some times and measures from its start to the greeting at addr.
func Start(ctx context.Context, addr string, rounds int, argv []string) (Result, error) {
	var took []time.Duration
	begin := time.Now()
	for range rounds {
		d, err := startOnce(ctx, addr, argv)
		if err != nil {
			return Result{}, err
		}
		took = append(took, d)
	}
	return summarise("start-up", time.Since(begin), 0, took), nil
}

func startOnce(ctx context.Context, addr string, argv []string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	for {
		if conn, err := dialer.DialContext(ctx, "tcp", addr); err == nil {
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				return time.Since(start), nil
			}
		}
		select {
		case <-ended:
			return 0, fmt.Errorf("%s ended before it served", argv[0])
		case <-ctx.Done():
			return 0, fmt.Errorf("%s does not serve %s after a minute", argv[0], addr)
		case <-tick.C:
		}
	}
}
