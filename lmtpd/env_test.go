package lmtpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for.
const patience = time.Minute

// env is a server on a real store.
type env struct {
	store   *mailstore.Store
	blobDir string
	local   *directory.Local
	faults  *faultyStore
	dir     *faultyDirectory
	panics  atomic.Int64 // panics logged
	srv     *Server
	addr    string
}

// newEnv makes a store and a directory; start starts the server.
func newEnv(t testing.TB) *env {
	t.Helper()
	store, meta, blobDir := openStore(t)
	local, err := directory.New(directory.Options{Metadata: meta, DefaultDomain: "example.org", Delimiter: "+"})
	if err != nil {
		t.Fatal(err)
	}
	return &env{
		store: store, blobDir: blobDir,
		local:  local,
		faults: &faultyStore{Store: store, deliver: map[metadata.AccountID]error{}},
		dir:    &faultyDirectory{Directory: local, disabled: map[metadata.AccountID]bool{}},
	}
}

// start serves on a TCP port of loopback, with a clock that stands still and ids that count.
func (e *env) start(t testing.TB, change func(*Config)) {
	t.Helper()
	var ids atomic.Int64
	cfg := Config{
		Store:     e.faults,
		Directory: e.dir,
		TLS:       listenertest.TLS(t, "mx.example.org"),
		Hostname:  "mx.example.org",
		Log:       listenertest.PanicLog(&e.panics),
		Now:       func() time.Time { return time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC) },
		NewID:     func() string { return fmt.Sprintf("id%d", ids.Add(1)) },
	}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.srv, e.addr = srv, l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l, false) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
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
		a, err = e.local.AddAccount(t.Context(), address, "correct horse")
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stored returns the messages in an account's INBOX.
func (e *env) stored(t testing.TB, address string) [][]byte {
	t.Helper()
	return e.storedIn(t, address, "INBOX")
}

func (e *env) storedIn(t testing.TB, address, mailbox string) [][]byte {
	t.Helper()
	ctx := t.Context()
	sel, err := e.store.User(e.account(t, address).ID).Open(ctx, mailbox, mailstore.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer sel.Close()
	var ids []metadata.BodyID
	err = sel.Messages(ctx, sel.AllUIDs(), func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool {
		ids = append(ids, m.Body)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := sel.Bodies(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, id := range ids {
		r := sel.OpenBody(bodies[id])
		p := make([]byte, r.Size())
		if n, err := r.ReadAt(ctx, p, 0); n != len(p) && !errors.Is(err, io.EOF) && err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// withoutPrefix takes the header lines off that a delivery puts before a message.
func withoutPrefix(t testing.TB, raw []byte) []byte {
	t.Helper()
	rest := string(raw)
	for range 5 { // Return-Path, Delivered-To, Received in three lines
		_, after, ok := strings.Cut(rest, "\r\n")
		if !ok {
			t.Fatalf("no prefix: %.200q", raw)
		}
		rest = after
	}
	return []byte(rest)
}
