package imapd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// patience bounds what a test waits for.
	patience = time.Minute
	// user is who connections log in as, if nothing else is said.
	user     = "anna@example.org"
	password = "correct horse"
)

// testTime is when everything happens.
var testTime = time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC)

// env is a server on a real store.
type env struct {
	meta   metadata.Store
	store  *mailstore.Store
	hints  notify.Notifier
	local  *directory.Local
	blobs  *heldBlobs
	reads  *blobstore.Counter // below blobs
	faults *faultyStore
	panics atomic.Int64 // panics logged
	srv    *Server
	addr   string
	clock  *atomic.Int64   // nanoseconds since testTime; of the stores and servers
	nodes  map[string]*env // where connections with a name go, if not here

	serving sync.WaitGroup
}

func (e *env) now() time.Time { return testTime.Add(time.Duration(e.clock.Load())) }

// newEnv makes a store and a directory; start starts the server.
func newEnv(t testing.TB) *env {
	t.Helper()
	blobs, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	counter := blobstore.Count(blobs, "store", nil)
	e := &env{blobs: &heldBlobs{Store: counter}, reads: counter, clock: new(atomic.Int64), nodes: map[string]*env{}}
	e.meta, err = sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "metadata.sqlite"),
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return testTime }})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.meta.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	hints := notify.NewLocal()
	e.hints = hints
	e.store, err = mailstore.New(mailstore.Config{Metadata: e.meta, Blobs: e.blobs, Notify: hints, Log: slog.New(slog.DiscardHandler), Now: e.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.store.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		_ = hints.Close()
		_ = e.meta.Close()
		_ = blobs.Close()
	})
	e.local, err = directory.New(directory.Options{Metadata: e.meta, DefaultDomain: "example.org", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e.faults = &faultyStore{Store: e.store}
	return e
}

// start serves on a TCP port of loopback.
func (e *env) start(t testing.TB, change func(*Config)) {
	t.Helper()
	cfg := Config{
		Store:        e.faults,
		Directory:    e.local,
		TLS:          listenertest.TLS(t, "imap.example.org"),
		Hostname:     "imap.example.org",
		FailureDelay: time.Millisecond,
		Log:          listenertest.PanicLog(&e.panics),
		Now:          e.now,
	}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.srv = srv
	e.addr = e.serve(t, false)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		e.serving.Wait()
	})
}

// serve adds a listener and returns its address.
func (e *env) serve(t testing.TB, implicitTLS bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.serving.Go(func() {
		if err := e.srv.Serve(l, implicitTLS); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func (e *env) dial(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (e *env) account(t testing.TB, address string) *metadata.Account {
	t.Helper()
	a, err := e.local.Account(t.Context(), address)
	if mailerr.Is(err, mailerr.NotFound) {
		a, err = e.local.AddAccount(t.Context(), address, password)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// deliver puts a message into a mailbox of user, as any delivery would.
func (e *env) deliver(t testing.TB, mailbox, message string) {
	t.Helper()
	st, err := e.store.Stage(t.Context(), strings.NewReader(message), 0)
	if err != nil {
		t.Fatal(err)
	}
	rcpt := mailstore.Recipient{Account: e.account(t, user).ID, Mailbox: mailbox, InternalDate: testTime}
	if d := e.store.Deliver(t.Context(), st, []mailstore.Recipient{rcpt}); d[0].Err != nil {
		t.Fatal(d[0].Err)
	}
}

// client is one side of a connection in tests that are no transcripts.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	tag  int
}

// connect makes a connection and reads the greeting.
func (e *env) connect(t testing.TB) *client {
	t.Helper()
	c := &client{t: t, conn: e.dial(t)}
	t.Cleanup(func() { _ = c.conn.Close() })
	c.in = bufio.NewReader(c.conn)
	if line := c.line(); !strings.HasPrefix(line, "* OK ") {
		t.Fatalf("greeting %q", line)
	}
	return c
}

// login connects and logs in as user.
func (e *env) login(t testing.TB) *client {
	t.Helper()
	e.account(t, user)
	c := e.connect(t)
	c.ok("LOGIN " + user + ` "` + password + `"`)
	return c
}

func (c *client) send(s string) {
	c.t.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatal(err)
	}
}

// closed is what line returns at the connection's end.
const closed = "(closed)"

// line returns the next line without its end.
func (c *client) line() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	line, err := c.in.ReadString('\n')
	if err != nil && err != io.EOF && !errors.Is(err, syscall.ECONNRESET) { // a reset: not all that was sent was read
		c.t.Fatalf("waiting for a line: %v", err)
	}
	if line == "" {
		return closed
	}
	return strings.TrimSuffix(line, "\r\n")
}

// do sends a command and returns the lines of its response, the tagged one last, without its tag.
func (c *client) do(command string) []string {
	c.t.Helper()
	c.tag++
	tag := fmt.Sprintf("t%d ", c.tag)
	c.send(tag + command + "\r\n")
	var lines []string
	for {
		line := c.line()
		if line == closed {
			c.t.Fatalf("%s: connection closed after %q", command, lines)
		}
		if rest, ok := strings.CutPrefix(line, tag); ok {
			return append(lines, rest)
		}
		lines = append(lines, line)
	}
}

// ok is do for a command that must succeed.
func (c *client) ok(command string) []string {
	c.t.Helper()
	lines := c.do(command)
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "OK ") {
		c.t.Fatalf("%s: %s", command, last)
	}
	return lines
}

// faultyStore panics where a test says so.
type faultyStore struct {
	*mailstore.Store
	panicStage atomic.Bool
}

func (f *faultyStore) Stage(ctx context.Context, r io.Reader, maxSize int64) (*mailstore.Staged, error) {
	if f.panicStage.Load() {
		panic("test")
	}
	return f.Store.Stage(ctx, r, maxSize)
}
