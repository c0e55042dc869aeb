package main

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestSignalDuringStart stops a server that waits for a database which takes its connection and says nothing.
func TestSignalDuringStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	s := newShell(t, "ROOKERY_METADATA=postgresql://x@"+l.Addr().String()+"/x?sslmode=disable&connect_timeout=60", "ROOKERY_IMAP_LISTEN=127.0.0.1:0",
		"ROOKERY_IMAPS_LISTEN=", "ROOKERY_POP3_LISTEN=", "ROOKERY_POP3S_LISTEN=", "ROOKERY_MANAGESIEVE_LISTEN=", "ROOKERY_LMTP_LISTEN=", "ROOKERY_HTTP_LISTEN=")
	cmd := s.command("serve")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case c := <-accepted: // it waits now
		defer c.Close()
	case err := <-ended:
		t.Fatalf("ended before it asked the database: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatal("did not end after SIGTERM")
	}
}
