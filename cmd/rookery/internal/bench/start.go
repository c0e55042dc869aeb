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

func startOnce(ctx context.Context, addr string, argv []string) (took time.Duration, err error) {
	err = serving(ctx, addr, argv, func(_ context.Context, started time.Duration) error {
		took = started
		return nil
	})
	return took, err
}

// serving starts a server, calls fn with the time to its greeting at addr, and ends it.
func serving(ctx context.Context, addr string, argv []string, fn func(context.Context, time.Duration) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
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
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := conn.Read(make([]byte, 1))
			took := time.Since(start)
			conn.Close()
			if err == nil {
				return fn(ctx, took)
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("%s ended before it served", argv[0])
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve %s after a minute", argv[0], addr)
		case <-tick.C:
		}
	}
}
