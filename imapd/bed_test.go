package imapd

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/internal/listener"
	"github.com/rookery-mail/rookery/mailstore"
)

// bed is an account on a store of its own, and a server whose sessions need no network.
type bed struct {
	*env
	t    testing.TB
	user *mailstore.User
	now  time.Time // of the server's clock
}

func newBed(t testing.TB) *bed {
	t.Helper()
	b := &bed{env: newEnv(t), t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.user = b.store.User(b.account(t, user).ID)
	var err error
	b.srv, err = New(Config{
		Store: b.store, Directory: b.local, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return b.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// append puts messages into INBOX, one second after another.
func (b *bed) append(messages ...string) {
	b.t.Helper()
	for _, m := range messages {
		st, err := b.store.Stage(b.t.Context(), strings.NewReader(m), 0)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.user.Append(b.t.Context(), "INBOX", st, mailstore.AppendOptions{InternalDate: b.now}); err != nil {
			b.t.Fatal(err)
		}
		b.now = b.now.Add(time.Second)
	}
}

// tester is a logged-in session and the client's end of it.
type tester struct {
	t    testing.TB
	s    *session
	conn *scriptConn
	n    int
}

// session starts a session and runs commands that set it up.
func (b *bed) session(commands ...string) *tester {
	b.t.Helper()
	conn := &scriptConn{}
	c := &tester{t: b.t, s: newSession(b.srv, listener.Conn{Net: conn, Local: true, Log: slog.New(slog.DiscardHandler)}), conn: conn}
	c.s.user = b.user
	c.s.account = b.user.Account()
	b.t.Cleanup(func() {
		if c.s.sel != nil {
			c.s.sel.Close()
		}
		c.s.cancel()
	})
	for _, cmd := range commands {
		if got := c.do(cmd); !strings.Contains(got, "\nOK") && !strings.HasPrefix(got, "OK") {
			b.t.Fatalf("%s: %s", cmd, got)
		}
	}
	return c
}

// do runs a command and returns all responses, with "\n" for line ends and without the tag.
func (c *tester) do(command string) string {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("t%d", c.n)
	c.conn.in.WriteString(tag + " " + command + "\r\n")
	c.conn.out.Reset()
	if err := c.s.step(); err != nil {
		c.t.Fatalf("%s: session ends: %v", command, err)
	}
	c.flush()
	out := strings.ReplaceAll(c.conn.out.String(), "\r\n", "\n")
	if i := strings.LastIndex(out, tag+" "); i >= 0 {
		out = out[:i] + out[i+len(tag)+1:]
	}
	return strings.TrimSuffix(out, "\n")
}

// doRaw runs a command and returns the responses as they are.
func (c *tester) doRaw(command string) []byte {
	c.t.Helper()
	c.do(command)
	return c.conn.out.Bytes()
}

// flush waits for the command's end.
func (c *tester) flush() {
	c.t.Helper()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.settle()
	if err := c.s.w.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// expect runs a command and compares its responses.
func (c *tester) expect(command, want string) {
	c.t.Helper()
	if got := c.do(command); got != want {
		c.t.Errorf("%s\n got: %s\nwant: %s", command, got, want)
	}
}

// scriptConn is a connection to nobody: what the client says is put into in beforehand.
type scriptConn struct {
	in, out bytes.Buffer
	discard bool
	written int64
}

func (c *scriptConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *scriptConn) Write(p []byte) (int, error) {
	c.written += int64(len(p))
	if c.discard {
		return len(p), nil
	}
	return c.out.Write(p)
}

func (c *scriptConn) Close() error                     { return nil }
func (c *scriptConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *scriptConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scriptConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }
