package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
)

// listen opens all listeners that are switched on, by key, or none.
func listen(ctx context.Context, cfg *config.Config) (map[string]net.Listener, error) {
	open := make(map[string]net.Listener)
	for _, ln := range cfg.Listeners() {
		if ln.Address == "" {
			continue
		}
		l, err := listenOne(ctx, ln.Address)
		if err != nil {
			closeAll(open)
			return nil, fmt.Errorf("%s: cannot listen on %s: %w", ln.Key, ln.Address, err)
		}
		open[ln.Key] = l
	}
	return open, nil
}

func closeAll(listeners map[string]net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

func listenOne(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if err := removeStaleSocket(ctx, path); err != nil {
			return nil, err
		}
		l, err := lc.Listen(ctx, "unix", path)
		if err != nil {
			return nil, why(err)
		}
		// Whoever may write to the socket may deliver: owner and group, such as the MTA's.
		if err := os.Chmod(path, 0o660); err != nil {
			_ = l.Close()
			return nil, err
		}
		return l, nil
	}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, why(err)
	}
	return l, nil
}

// removeStaleSocket removes a socket that a server left behind when it was killed, never one that somebody serves.
func removeStaleSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil //nolint:nilerr // nothing there: what else is wrong, listening will find
	}
	if info.Mode().Type() != os.ModeSocket {
		return errors.New("there is a file of that name that is no socket")
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = c.Close()
		return errors.New("another server listens there")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// why adds what can be done about an error of listening.
func why(err error) error {
	var op *net.OpError
	cause := err
	if errors.As(err, &op) {
		cause = op.Err
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New("another server listens there; stop it or choose another address")
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w; ports below 1024 need root or CAP_NET_BIND_SERVICE", cause)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine does not have that address", cause)
	}
	return cause
}
