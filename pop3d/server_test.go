package pop3d

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/mailerr"
)

const anna = "anna@example.org"

// client is a connection that a test drives command by command.
type client struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Helper()
	c := &client{conn, t, bufio.NewReader(conn)}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	c.expect("+OK")
	return c
}

func (e *env) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

// login dials and logs anna in.
func (e *env) login(t testing.TB) *client {
	t.Helper()
	c := e.dial(t)
	c.cmd("USER "+anna, "+OK")
	c.cmd("PASS "+password, "+OK")
	return c
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) expect(prefix string) string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, prefix) {
		c.t.Fatalf("want %s, got %q, %v", prefix, line, err)
	}
	return line
}

func (c *client) cmd(line, prefix string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.expect(prefix)
}

// body reads a multi-line reply, without the dots put there for transport.
func (c *client) body() string {
	c.t.Helper()
	var b strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%v in a reply of several lines", err)
		}
		if line == ".\r\n" {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// ended waits for the end of the connection. It is a reset when the server had not read all that was sent.
func (c *client) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(rest) > 0 {
		c.t.Fatalf("not the end: %q, %v", rest, err)
	}
}

// A client that fetches by TOP n 99999999 has what one has that fetches by RETR, and both what was delivered; a burst of
// commands is answered in order. Sizes are those of LIST.
func TestRetrieval(t *testing.T) {
	e := newEnv(t)
	var want []string
	for i := range 60 {
		m := fmt.Sprintf("Subject: %d\r\n\r\n", i) + strings.Repeat(".line\r\n..\r\n.\r\n", i*i*7)
		want = append(want, m)
	}
	want = append(want, "Subject: large\r\n\r\n"+strings.Repeat(strings.Repeat("x", 500)+"\r\n.\r\n", 12_000)) // streamed
	e.deliver(t, anna, want...)
	e.start(t, nil)
	c := e.login(t)
	c.cmd("LIST", "+OK")
	sizes := strings.Split(c.body(), "\r\n")
	go func() { // longer than any buffer between
		for i := range want {
			_, _ = fmt.Fprintf(c.Conn, "RETR %d\r\nTOP %d 99999999\r\n", i+1, i+1)
		}
	}()
	for i, m := range want {
		if sizes[i] != fmt.Sprintf("%d %d", i+1, len(m)) {
			t.Errorf("LIST says %q of a message of %d octets", sizes[i], len(m))
		}
		c.expect(fmt.Sprintf("+OK %d octets", len(m)))
		if got := c.body(); got != m {
			t.Fatalf("RETR %d gives %d octets, not those of the message", i+1, len(got))
		}
		c.expect("+OK")
		if got := c.body(); got != m {
			t.Fatalf("TOP %d gives %d octets, not those of the message", i+1, len(got))
		}
	}
	c.cmd("QUIT", "+OK")
	c.ended()
}

func TestImplicitTLS(t *testing.T) {
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	e.start(t, nil)
	addr := e.listen(t, true, listenertest.Far)
	mute, err := net.Dial("tcp", addr) // one that never shakes hands holds nobody up
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, conn)
	c.cmd("USER anna", "+OK")
	c.cmd("PASS "+password, "+OK 1 messages")
	c.cmd("QUIT", "+OK")
	mute.Close()
	noTLS, err := New(Config{Store: e.store, Directory: e.dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := noTLS.Serve(closedListener(t), true); err == nil {
		t.Error("implicit TLS without a certificate")
	}
}

// closedListener returns a listener that is closed already.
func closedListener(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l
}

// The lock holds between nodes, and ends with the session.
func TestLockBetweenNodes(t *testing.T) {
	a := newEnv(t)
	a.deliver(t, anna, "Subject: one\r\n\r\n")
	a.start(t, nil)
	b := a.node(t, nil)
	first := a.login(t)
	second := b.dial(t)
	second.cmd("USER anna", "+OK")
	second.cmd("PASS "+password, "-ERR [IN-USE]")
	first.cmd("DELE 1", "+OK")
	first.Close() // without QUIT
	a.idle(t)
	second.cmd("USER anna", "+OK")
	second.cmd("PASS "+password, "+OK 1 messages")
	second.cmd("DELE 1", "+OK")
	second.cmd("QUIT", "+OK")
	if got := a.uids(t, anna); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// idle waits until the server has no session.
func (e *env) idle(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
		n := e.srv.conns.Len()
		if n == 0 {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions do not end", n)
		}
	}
}

// A node that dies keeps a maildrop for the lease's time and no longer.
func TestDeadNode(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	e.start(t, nil)
	name := "pop3:" + e.account(t, anna).ID.String()
	if err := e.meta.Store.AcquireLease(context.Background(), name, "dead", time.Hour); err != nil {
		t.Fatal(err)
	}
	c := e.dial(t)
	c.cmd("USER anna", "+OK")
	c.cmd("PASS "+password, "-ERR [IN-USE]")
	// Its last renewal.
	if err := e.meta.Store.RenewLease(context.Background(), name, "dead", 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		c.cmd("USER anna", "+OK")
		c.send("PASS " + password + "\r\n")
		if line := c.expect(""); strings.HasPrefix(line, "+OK") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lease of a dead node does not end")
		}
	}
}

// testLeaseTTL is that of tests in which a lease is renewed in time: long beside what the machine may take to come to it.
const testLeaseTTL = 6 * time.Second

// await waits for a renewal of a lease to begin.
func await(t *testing.T, renewals <-chan struct{}) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-renewals:
	case <-timeout.C:
		t.Fatal("the lease is not renewed")
	}
}

// The lease is renewed while a session lasts.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	renewals := make(chan struct{}, 100)
	e.meta.renewed = func() error { renewals <- struct{}{}; return nil }
	e.start(t, func(cfg *Config) { cfg.LeaseTTL = testLeaseTTL })
	c := e.login(t)
	other := e.node(t, nil).dial(t)
	for range 4 { // each at a third of the time
		await(t, renewals)
		other.cmd("USER anna", "+OK")
		other.cmd("PASS "+password, "-ERR [IN-USE]")
	}
	c.cmd("STAT", "+OK 1 ")
	c.cmd("QUIT", "+OK")
}

// A session whose lease is lost ends, whether it waits or works, and deletes nothing.
func TestLostLease(t *testing.T) {
	for _, fault := range []mailerr.Kind{mailerr.InUse, mailerr.Unavailable} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.deliver(t, anna, "Subject: one\r\n\r\n")
			e.start(t, func(cfg *Config) { cfg.LeaseTTL = testLeaseTTL })
			c := e.login(t)
			c.cmd("DELE 1", "+OK")
			e.meta.mu.Lock()
			e.meta.renew = mailerr.Wrap("test", fault, errors.New("secret"))
			e.meta.mu.Unlock()
			c.expect("-ERR [SYS/TEMP] The lock of the maildrop was lost")
			c.ended()
			if got := e.uids(t, anna); len(got) != 1 {
				t.Errorf("left: %v", got)
			}
		})
	}
}

// Trouble for less than the lease's time is nobody's business.
func TestLeaseSurvivesShortTrouble(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	renewals, asked := make(chan struct{}, 100), 0
	e.meta.renewed = func() error { // one call at a time
		renewals <- struct{}{}
		if asked++; asked <= 2 {
			return mailerr.Wrap("test", mailerr.Unavailable, errors.New("a hiccup"))
		}
		return nil
	}
	e.start(t, func(cfg *Config) { cfg.LeaseTTL = testLeaseTTL })
	c := e.login(t)
	for range 4 {
		await(t, renewals)
		c.cmd("NOOP", "+OK")
	}
	c.cmd("DELE 1", "+OK")
	c.cmd("QUIT", "+OK Bye, 1 ")
}

func TestTimeouts(t *testing.T) {
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	e.start(t, func(cfg *Config) { cfg.LoginTimeout = 100 * time.Millisecond })
	c := e.dial(t)
	c.expect("-ERR Waited too long")
	c.ended()

	c = e.dial(t) // busy, but with no login
	for end := time.Now().Add(patience); ; {
		c.send("CAPA\r\n")
		if line := c.expect(""); strings.HasPrefix(line, "-ERR Waited too long") {
			break
		}
		c.body()
		if time.Now().After(end) {
			t.Fatal("a session without a login lasts for ever")
		}
	}

	n := e.node(t, func(cfg *Config) { cfg.IdleTimeout = 2 * time.Second })
	c = n.login(t)
	c.cmd("DELE 1", "+OK")
	c.expect("-ERR Autologout")
	c.ended()
	n.idle(t)
	c = n.login(t)
	c.cmd("STAT", "+OK 1 ")
}

func TestLongLine(t *testing.T) {
	e := newEnv(t)
	e.start(t, nil)
	c := e.dial(t)
	c.cmd("USER "+strings.Repeat("x", 1<<20), "-ERR Line too long")
	c.cmd("USER "+strings.Repeat("x", 240), "+OK")
	c.cmd("AUTH PLAIN", "+ ")
	c.cmd(strings.Repeat("x", 100_000), "-ERR Line too long")
	c.cmd("QUIT", "+OK")
	c.ended()
}

// A body that cannot be read is -ERR before the first octet, and the end of the connection behind it.
func TestUnreadableBody(t *testing.T) {
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\nsmall\r\n", "Subject: two\r\n\r\n"+strings.Repeat(strings.Repeat("x", 998)+"\r\n", 8000))
	// Nothing of it may be in the memory of the node that delivered it.
	n := e.node(t, nil)
	c := n.login(t)
	fault := mailerr.Wrap("test", mailerr.Unavailable, errors.New("secret"))
	e.blobs.reads.Store(&fault)
	c.cmd("RETR 1", "-ERR [SYS/TEMP] temporarily unavailable")
	e.blobs.reads.Store(nil)
	c.cmd("RETR 1", "+OK")
	c.body()
	c.cmd("RETR 2", "+OK")
	e.blobs.reads.Store(&fault)
	rest, err := io.ReadAll(c.in)
	if err != nil || strings.HasSuffix(string(rest), "\r\n.\r\n") {
		t.Errorf("%v, and it looks as if that were all", err)
	}
}

func TestShutdown(t *testing.T) {
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n")
	e.deliver(t, "bert@example.org", "Subject: one\r\n\r\n")
	e.meta.hold, e.meta.entered = make(chan struct{}), make(chan struct{}, 1)
	e.start(t, nil)
	fresh, quitting, idle := e.dial(t), e.login(t), e.dial(t)
	idle.cmd("USER bert", "+OK")
	idle.cmd("PASS "+password, "+OK")
	idle.cmd("DELE 1", "+OK")
	quitting.cmd("DELE 1", "+OK")
	quitting.send("QUIT\r\n")
	<-e.meta.entered
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		done <- e.srv.Shutdown(ctx)
	}()
	for _, c := range []*client{fresh, idle} {
		c.expect("-ERR [SYS/TEMP] The server is shutting down")
		c.ended()
	}
	close(e.meta.hold)
	quitting.expect("+OK Bye, 1 messages deleted")
	quitting.ended()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := e.uids(t, anna); len(got) != 0 {
		t.Errorf("anna still has %v", got)
	}
	if got := e.uids(t, "bert@example.org"); len(got) != 1 {
		t.Errorf("bert has %v", got)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	e := newEnv(t)
	e.deliver(t, anna, "Subject: one\r\n\r\n"+strings.Repeat(strings.Repeat("x", 998)+"\r\n", 20_000))
	e.start(t, nil)
	c := e.login(t)
	c.cmd("RETR 1", "+OK") // and read no further
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := e.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	// The lease was given back all the same.
	name := "pop3:" + e.account(t, anna).ID.String()
	if err := e.meta.Store.AcquireLease(context.Background(), name, "next", time.Minute); err != nil {
		t.Error(err)
	}
}
