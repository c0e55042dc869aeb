package lmtpd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// client is a connection that a test drives command by command.
type client struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

// greet dials, and says LHLO.
func (e *env) greet(t testing.TB) *client {
	t.Helper()
	c := &client{Conn: e.dial(t), t: t}
	t.Cleanup(func() { c.Close() })
	c.in = bufio.NewReader(c.Conn)
	c.SetDeadline(time.Now().Add(patience))
	c.expect("220")
	c.cmd("LHLO client.example", "250")
	return c
}

// expect reads one reply of any number of lines.
func (c *client) expect(code string) string {
	c.t.Helper()
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("want %s, got %q, %v", code, line, err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, code) {
			c.t.Fatalf("want %s, got %q", code, line)
		}
		return line
	}
}

func (c *client) cmd(line, code string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.expect(code)
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
}

// ended waits for the end of the connection. It is a reset when the server had not read all that was sent.
func (c *client) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(rest) > 0 {
		c.t.Fatalf("not the end: %q, %v", rest, err)
	}
}

// begin opens a transaction.
func (c *client) begin(rcpts ...string) {
	c.t.Helper()
	c.cmd("MAIL FROM:<a@example.net>", "250")
	for _, r := range rcpts {
		c.cmd("RCPT TO:<"+r+">", "250")
	}
}

// Every kind of error at every place, with the session usable afterwards.
func TestEveryFailure(t *testing.T) {
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	bert := e.account(t, "bert@example.org")
	e.start(t, nil)
	c := e.greet(t)
	for _, k := range mailerr.Kinds() {
		fault := mailerr.Wrap("test", k, errors.New("secret"))
		want := e.srv.replyFor(fault, atData)
		code := fmt.Sprintf("%d %d.%d.%d", want.Code, want.EnhancedCode[0], want.EnhancedCode[1], want.EnhancedCode[2])
		if k == mailerr.Internal || k == mailerr.Unavailable {
			if want.Code/100 != 4 {
				t.Errorf("%v is answered for good: %d", k, want.Code)
			}
		}
		for _, transfer := range []func(){
			func() { c.cmd("DATA", "354"); c.send("Subject: x\r\n\r\n.\r\n") },
			func() { c.send("BDAT 14\r\nSubject: x\r\n\r\n"); c.expect("250"); c.send("BDAT 0 LAST\r\n") },
		} {
			e.faults.mu.Lock()
			e.faults.deliver = map[metadata.AccountID]error{bert.ID: fault}
			e.faults.mu.Unlock()
			c.begin("anna@example.org", "bert@example.org", "anna@example.org")
			transfer()
			c.expect("250 2.1.5 <anna@")
			if got := c.expect(code + " <bert@"); strings.Contains(got, "secret") {
				t.Errorf("%v leaks: %q", k, got)
			}
			c.expect("250 2.1.5 <anna@")

			e.faults.mu.Lock()
			e.faults.deliver, e.faults.stage = nil, fault
			e.faults.mu.Unlock()
			c.begin("anna@example.org", "bert@example.org")
			transfer()
			c.expect(code[:3])
			c.expect(code[:3])
			e.faults.mu.Lock()
			e.faults.stage = nil
			e.faults.mu.Unlock()
		}
		e.dir.mu.Lock()
		e.dir.err = fault
		e.dir.mu.Unlock()
		c.cmd("MAIL FROM:<a@example.net>", "250")
		c.cmd("RCPT TO:<anna@example.org>", fmt.Sprint(e.srv.replyFor(fault, atRecipient).Code))
		e.dir.mu.Lock()
		e.dir.err = nil
		e.dir.mu.Unlock()
		c.cmd("RSET", "250")
	}
	c.cmd("QUIT", "221")
	if got, want := len(e.stored(t, anna.Address)), 2*len(mailerr.Kinds()); got != want {
		t.Errorf("anna has %d messages, want %d", got, want)
	}
	if got := len(e.stored(t, bert.Address)); got != 0 {
		t.Errorf("bert has %d messages", got)
	}
}

func TestClientOfTheLibrary(t *testing.T) {
	e := newEnv(t)
	for _, a := range []string{"anna@example.org", "bert@example.org"} {
		e.account(t, a)
	}
	e.start(t, nil)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "lmtp"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.srv.Serve(l, false) }()
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.Hello("client.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@example.net", &smtp.MailOptions{Size: 100, UTF8: true}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{"anna@example.org", "bert@example.org"} {
		if err := c.Rcpt(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	var refused *smtp.SMTPError
	if err := c.Rcpt("nobody@example.org", nil); !errors.As(err, &refused) || refused.Code != 550 {
		t.Errorf("an unknown recipient: %v", err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "Subject: hello\r\n\r\n.dot\r\n"); err != nil {
		t.Fatal(err)
	}
	answers, err := w.CloseWithLMTPResponse()
	if err != nil || len(answers) != 2 {
		t.Errorf("answers %v, %v", answers, err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	got := e.stored(t, "bert@example.org")
	if len(got) != 1 || string(withoutPrefix(t, got[0])) != "Subject: hello\r\n\r\n.dot\r\n" || !bytes.Contains(got[0], []byte("from client.example (local)")) {
		t.Errorf("stored %q", got)
	}
	if err := e.srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestImplicitTLS(t *testing.T) {
	e := newEnv(t)
	e.account(t, "anna@example.org")
	e.start(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.srv.Serve(l, true) }()
	// One that never shakes hands holds nobody up.
	mute, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	conn, err := dialTLS(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{Conn: conn, t: t, in: bufio.NewReader(conn)}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.expect("220")
	c.cmd("LHLO client.example", "250")
	c.begin("anna@example.org")
	c.cmd("DATA", "354")
	c.cmd("hello\r\n.", "250")
	c.cmd("QUIT", "221")
	if got := e.stored(t, "anna@example.org"); len(got) != 1 || !bytes.Contains(got[0], []byte("with LMTPS id")) {
		t.Errorf("stored %q", got)
	}
	mute.Close()
	if err := e.srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestLongLines(t *testing.T) {
	e := newEnv(t)
	e.account(t, "anna@example.org")
	e.start(t, nil)
	c := e.greet(t)
	long := strings.Repeat("x", 900<<10) + "\r\n" + strings.Repeat("y", 3<<20) + "\r\n"
	c.begin("anna@example.org")
	c.cmd("DATA", "354")
	c.send(long)
	c.cmd(".", "250")
	c.begin("anna@example.org")
	c.send(fmt.Sprintf("BDAT %d LAST\r\n", len(long)))
	c.send(long)
	c.expect("250")
	// A command of that length is refused, and the session goes on.
	c.cmd("NOOP "+strings.Repeat("z", 900<<10), "500 5.5.2")
	c.cmd("NOOP", "250")
	c.cmd("QUIT", "221")
	for _, m := range e.stored(t, "anna@example.org") {
		if string(withoutPrefix(t, m)) != long {
			t.Errorf("%d bytes stored, not those sent", len(m))
		}
	}
}

func TestLargeMessages(t *testing.T) {
	const size = 30 << 20
	e := newEnv(t)
	e.account(t, "anna@example.org")
	e.account(t, "bert@example.org")
	e.start(t, func(cfg *Config) { cfg.MaxMessageBytes = size })
	c := e.greet(t)
	line := []byte("..." + strings.Repeat("0123456789abcdef", 7) + "\r\n")
	want := sha256.New()
	c.begin("anna@example.org", "bert@example.org")
	c.cmd("DATA", "354")
	w := bufio.NewWriterSize(c, 64<<10)
	n := 0
	for ; n+len(line) <= size; n += len(line) - 1 {
		_, _ = w.Write(line)
		want.Write(line[1:])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	c.send(".\r\n")
	c.expect("250")
	c.expect("250")
	for _, a := range []string{"anna@example.org", "bert@example.org"} {
		m := e.stored(t, a)
		if got := sha256.Sum256(withoutPrefix(t, m[0])); !bytes.Equal(got[:], want.Sum(nil)) {
			t.Errorf("%s has other bytes", a)
		}
	}
	// The same bytes in chunks of binary, one more than is allowed.
	c.begin("anna@example.org", "bert@example.org")
	chunk := bytes.Repeat([]byte{0, '\n', '.', '\r'}, 256<<10)
	for range size / len(chunk) {
		c.send(fmt.Sprintf("BDAT %d\r\n", len(chunk)))
		if _, err := c.Write(chunk); err != nil {
			t.Fatal(err)
		}
		c.expect("250")
	}
	c.send("BDAT 1 LAST\r\nx")
	c.expect("552 5.3.4")
	c.expect("552 5.3.4")
	c.cmd("QUIT", "221")
}

// A connection that ends before its message does delivers nothing.
func TestBrokenConnections(t *testing.T) {
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	e.start(t, nil)
	for _, sent := range []string{
		"DATA\r\n", "DATA\r\nSubject: x\r\n\r\nhalf", "DATA\r\nhalf\r\n.", "DATA\r\nhalf\r\n.\r",
		"BDAT 10 LAST\r\n", "BDAT 10 LAST\r\nhalf", "BDAT 4\r\nhalf", "BDAT 4\r\nhalfBDAT 1 LAST\r\n", "BDAT 4\r\nhalfBDAT 0 LAST",
	} {
		c := e.greet(t)
		c.begin("anna@example.org")
		c.send(sent)
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, c) // until the server has given up
		if got := e.stored(t, anna.Address); len(got) != 0 {
			t.Fatalf("%q: stored %q", sent, got)
		}
	}
}

func TestTimeouts(t *testing.T) {
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	e.start(t, func(cfg *Config) {
		cfg.CommandTimeout = 2 * time.Second
		cfg.DataTimeout = 2 * time.Second
		cfg.MessageTimeout = 6 * time.Second
	})
	t.Run("given up", func(t *testing.T) {
		t.Run("idle", func(t *testing.T) {
			t.Parallel()
			c := e.greet(t)
			c.expect("421 4.4.2")
			c.ended()
		})
		t.Run("half a command", func(t *testing.T) {
			t.Parallel()
			c := e.greet(t)
			go drip(c, "NOOP", 50*time.Millisecond)
			c.expect("421 4.4.2")
		})
		t.Run("half a message", func(t *testing.T) {
			t.Parallel()
			c := e.greet(t)
			c.begin(anna.Address)
			c.cmd("DATA", "354")
			c.send("half\r\n")
			c.expect("421 4.4.2")
			c.ended()
		})
		t.Run("between chunks", func(t *testing.T) {
			t.Parallel()
			c := e.greet(t)
			c.begin(anna.Address)
			c.send("BDAT 4\r\nhalf")
			c.expect("250")
			c.expect("421 4.4.2")
			c.ended()
		})
		t.Run("a trickle", func(t *testing.T) {
			t.Parallel()
			c := e.greet(t)
			c.begin(anna.Address)
			c.cmd("DATA", "354")
			go drip(c, "x", 50*time.Millisecond)
			c.expect("421 4.4.2")
		})
	})
	if got := e.stored(t, anna.Address); len(got) != 0 {
		t.Fatalf("stored %q", got)
	}
	t.Run("slow but steady", func(t *testing.T) {
		c := e.greet(t)
		c.begin(anna.Address)
		c.cmd("DATA", "354")
		for range 9 { // longer than DataTimeout in all
			c.send("line\r\n")
			time.Sleep(300 * time.Millisecond) // the client's pace is what is tested
		}
		c.cmd(".", "250")
	})
}

// drip sends a piece again and again until the connection ends.
func drip(c *client, piece string, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(c.Conn, piece); err != nil {
			return
		}
	}
}

func TestShutdown(t *testing.T) {
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	e.faults.hold, e.faults.entered = make(chan struct{}), make(chan struct{}, 1)
	e.start(t, nil)
	idle, greeted, data, complete := e.greet(t), e.greet(t), e.greet(t), e.greet(t)
	greeted.begin(anna.Address)
	data.begin(anna.Address)
	data.cmd("DATA", "354")
	data.send("first half, ")
	complete.begin(anna.Address)
	complete.cmd("DATA", "354")
	complete.send("complete\r\n.\r\n")
	<-e.faults.entered
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		done <- e.srv.Shutdown(ctx)
	}()
	idle.expect("421 4.3.2")
	idle.ended()
	greeted.expect("421 4.3.2")
	greeted.ended()
	if c, err := net.Dial("tcp", e.addr); err == nil {
		c.Close()
		t.Error("it still accepts")
	}
	close(e.faults.hold)
	complete.expect("250 2.1.5")
	complete.expect("421 4.3.2")
	complete.ended()
	data.send("second half\r\n.\r\n")
	data.expect("250 2.1.5")
	data.expect("421 4.3.2")
	data.ended()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := len(e.stored(t, anna.Address)); got != 2 {
		t.Errorf("%d messages stored", got)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	e := newEnv(t)
	anna := e.account(t, "anna@example.org")
	e.faults.hold, e.faults.entered = make(chan struct{}), make(chan struct{}, 1)
	e.start(t, nil)
	data, chunks, complete := e.greet(t), e.greet(t), e.greet(t)
	data.begin(anna.Address)
	data.cmd("DATA", "354")
	data.send("half")
	chunks.begin(anna.Address)
	chunks.send("BDAT 100\r\nhalf")
	complete.begin(anna.Address)
	complete.cmd("DATA", "354")
	complete.send("complete\r\n.\r\n")
	<-e.faults.entered
	e.faults.mu.Lock()
	e.faults.deliver = map[metadata.AccountID]error{{}: context.Canceled}
	e.faults.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := e.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	data.expect("421 4.3.2")
	data.ended()
	chunks.expect("421 4.3.2")
	chunks.ended()
	// What became of it the client hears, 250 or 4xx, never silence and never 5xx.
	line, err := complete.in.ReadString('\n')
	if err != nil || line[0] != '2' && line[0] != '4' {
		t.Errorf("a complete message: %q, %v", line, err)
	}
}
