package imapd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestShutdownTellsIdleClients(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	waiting, idle, fresh := e.login(t), e.login(t), e.connect(t)
	waiting.ok("SELECT INBOX")
	idle.ok("SELECT INBOX")
	idle.startIdle()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.srv.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{waiting, idle, fresh} {
		if line := c.line(); line != "* BYE [UNAVAILABLE] Server is shutting down" {
			t.Errorf("got %q", line)
		}
		if line := c.line(); line != closed {
			t.Errorf("after BYE: %q", line)
		}
	}
}

// A message that is coming in is taken to its end.
func TestShutdownWaitsForAppend(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	c.send("a APPEND INBOX {10}\r\n")
	if line := c.line(); line != "+ OK" {
		t.Fatalf("got %q", line)
	}
	c.send("01234")
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() { done <- e.srv.Shutdown(ctx) }()
	<-e.srv.stopped
	c.send("56789\r\n")
	if line := c.line(); !strings.HasPrefix(line, "a OK [APPENDUID ") {
		t.Errorf("got %q", line)
	}
	if line := c.line(); !strings.HasPrefix(line, "* BYE ") {
		t.Errorf("got %q", line)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownGivesUp(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	c.send("a APPEND INBOX {10}\r\n")
	c.line()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := e.srv.Shutdown(ctx); err == nil {
		t.Error("no error although a client never ended its message")
	}
}

func TestPanicClosesOneConnection(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	other, c := e.login(t), e.login(t)
	e.faults.panicStage.Store(true)
	c.send("a APPEND INBOX {4+}\r\nabcd\r\n")
	if line := c.line(); line != "* BYE [SERVERBUG] Internal error" {
		t.Errorf("got %q", line)
	}
	if line := c.line(); line != closed {
		t.Errorf("after BYE: %q", line)
	}
	if n := e.panics.Load(); n != 1 {
		t.Errorf("%d panics logged", n)
	}
	e.faults.panicStage.Store(false)
	other.ok("NOOP")
	other.ok("APPEND INBOX {4+}\r\nabcd")
}

func TestLoginTimeout(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.LoginTimeout = 50 * time.Millisecond })
	c := e.connect(t)
	if line := c.line(); line != "* BYE Waited too long for a login" {
		t.Errorf("got %q", line)
	}
	// The time is for a whole command: a byte now and then does not prolong it.
	c = e.connect(t)
	for range 1000 {
		_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(c.conn, "a"); err != nil {
			break
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if line, err := c.in.ReadString('\n'); err == nil {
			if line != "* BYE Waited too long for a login\r\n" {
				t.Errorf("got %q", line)
			}
			break
		}
	}
}

func TestAutologout(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.IdleTimeout = 100 * time.Millisecond })
	c := e.login(t)
	if line := c.line(); line != "* BYE Autologout, idle for too long" {
		t.Errorf("got %q", line)
	}
}

// A client that does not read is dropped, with what it holds.
func TestStalledClientIsDropped(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.WriteTimeout = time.Second })
	e.deliver(t, "INBOX", "Subject: big\r\n\r\n"+strings.Repeat("0123456789\r\n", 1<<20))
	c := e.login(t)
	c.ok("SELECT INBOX")
	c.send("a FETCH 1 BODY.PEEK[]\r\n")
	deadline := time.Now().Add(patience)
	for {
		if e.srv.conns.Len() == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the session goes on")
		}
		time.Sleep(time.Millisecond)
	}
}

// Commands sent together are answered in order, in few packets.
func TestPipelining(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.AllowPlaintext = true })
	e.account(t, user)
	server, conn := net.Pipe()
	counted := &countWrites{Conn: server}
	e.srv.conns.ServeConn(counted)
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	defer conn.Close()
	c.line()
	c.ok("LOGIN " + user + ` "` + password + `"`)
	before := counted.writes
	var all strings.Builder
	for i := range 50 {
		fmt.Fprintf(&all, "p%d NOOP\r\n", i)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, all.String())
	}()
	<-sent
	for i := range 50 {
		if line := c.line(); line != fmt.Sprintf("p%d OK NOOP completed", i) {
			t.Fatalf("got %q", line)
		}
	}
	if n := counted.writes - before; n > 3 {
		t.Errorf("%d writes for 50 answers", n)
	}
}

type countWrites struct {
	net.Conn
	writes int
}

func (c *countWrites) Write(p []byte) (int, error) {
	c.writes++
	return c.Conn.Write(p)
}

// An APPEND is not held in memory, and what it was is what FETCH gives.
func TestAppendLarge(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.login(t)
	body := bytes.Repeat([]byte("Subject: x\r\n\r\n0123456789abcdef\r\n"), 300_000)
	c.send(fmt.Sprintf("a APPEND INBOX {%d}\r\n", len(body)))
	if line := c.line(); line != "+ OK" {
		t.Fatalf("got %q", line)
	}
	c.send(string(body) + "\r\n")
	if line := c.line(); !strings.HasPrefix(line, "a OK [APPENDUID ") {
		t.Fatalf("got %q", line)
	}
	c.ok("SELECT INBOX")
	c.send("b FETCH 1 BODY.PEEK[]\r\n")
	if line, want := c.line(), fmt.Sprintf("* 1 FETCH (BODY[] {%d}", len(body)); line != want {
		t.Fatalf("got %q, want %q", line, want)
	}
	got := make([]byte, len(body))
	if _, err := io.ReadFull(c.in, got); err != nil || !bytes.Equal(got, body) {
		t.Errorf("another message: %v", err)
	}
}

func TestConnectionLimits(t *testing.T) {
	e := newEnv(t)
	e.start(t, func(cfg *Config) { cfg.MaxConnections, cfg.MaxConnectionsPerAccount = 3, 1 })
	first := e.login(t)
	second := e.connect(t)
	if lines := second.do("LOGIN " + user + ` "` + password + `"`); lines[0] != "NO [LIMIT] Too many connections of this account" {
		t.Errorf("got %q", lines)
	}
	e.connect(t)
	conn := e.dial(t)
	defer conn.Close()
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "* BYE [UNAVAILABLE] Too many connections\r\n" {
		t.Errorf("got %q, %v", line, err)
	}
	first.ok("LOGOUT")
	first.line() // the end of the connection, so that the account's place is free
	for {
		if lines := second.do("LOGIN " + user + ` "` + password + `"`); strings.HasPrefix(lines[0], "OK") {
			break
		}
	}
}

func TestImplicitTLS(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	e.account(t, user)
	addr := e.serve(t, true)
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	if line := c.line(); !strings.Contains(line, " AUTH=PLAIN") || strings.Contains(line, "STARTTLS") {
		t.Errorf("greeting %q", line)
	}
	c.ok("LOGIN " + user + ` "` + password + `"`)
	c.ok("LOGOUT")
}

// Passwords in clear are refused where somebody could read them.
func TestPlaintext(t *testing.T) {
	for _, allow := range []bool{false, true} {
		e := newEnv(t)
		e.account(t, user)
		e.start(t, func(cfg *Config) { cfg.AllowPlaintext = allow })
		server, conn := net.Pipe()
		e.srv.conns.ServeConn(server)
		c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
		greeting := c.line()
		login := c.do("LOGIN " + user + ` "` + password + `"`)[0]
		if allow {
			if strings.Contains(greeting, "LOGINDISABLED") || !strings.HasPrefix(login, "OK") {
				t.Errorf("allowed: greeting %q, LOGIN %q", greeting, login)
			}
		} else {
			if !strings.Contains(greeting, " LOGINDISABLED") || strings.Contains(greeting, " AUTH=") {
				t.Errorf("greeting %q", greeting)
			}
			for _, got := range []string{login, c.do("AUTHENTICATE PLAIN AGEAYg==")[0], c.do("AUTHENTICATE PLAIN")[0]} {
				if !strings.HasPrefix(got, "NO [PRIVACYREQUIRED]") {
					t.Errorf("got %q", got)
				}
			}
		}
		_ = conn.Close()
	}
}
