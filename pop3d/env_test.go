package pop3d

import (
	"context"
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

// password is every test account's.
const password = "correct horse"

// env is a server on a real store; node makes another one on the same.
type env struct {
	meta   *faultyMeta
	blobs  *faultyBlobs
	store  *mailstore.Store
	local  *directory.Local
	dir    *faultyDirectory
	panics atomic.Int64 // panics logged
	srv    *Server
	addr   string
}

func newEnv(t testing.TB) *env {
	t.Helper()
	meta, blobs := openBackends(t)
	e := &env{meta: &faultyMeta{Store: meta}, blobs: &faultyBlobs{Store: blobs}}
	e.store = openNode(t, e.meta, e.blobs)
	local, err := directory.New(directory.Options{Metadata: meta, DefaultDomain: "example.org", Delimiter: "+"})
	if err != nil {
		t.Fatal(err)
	}
	e.local, e.dir = local, &faultyDirectory{Directory: local}
	return e
}

// node returns an env whose server has a mail store of its own on the same metadata and bodies.
func (e *env) node(t testing.TB, change func(*Config)) *env {
	t.Helper()
	other := &env{meta: &faultyMeta{Store: e.meta.Store}, blobs: e.blobs, local: e.local, dir: e.dir}
	other.store = openNode(t, other.meta, other.blobs)
	other.start(t, change)
	return other
}

// start serves on a TCP port of loopback.
func (e *env) start(t testing.TB, change func(*Config)) {
	t.Helper()
	cfg := Config{
		Store:        e.store,
		Directory:    e.dir,
		TLS:          listenertest.TLS(t, "mx.example.org"),
		Hostname:     "mx.example.org",
		FailureDelay: time.Millisecond,
		Log:          listenertest.PanicLog(&e.panics),
	}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.srv = srv
	e.addr = e.listen(t, false, func(l net.Listener) net.Listener { return l })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// listen serves on another port.
func (e *env) listen(t testing.TB, implicitTLS bool, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.srv.Serve(wrap(l), implicitTLS) }()
	t.Cleanup(func() { // runs before Shutdown is sure: Shutdown may be called again
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func (e *env) account(t testing.TB, address string) *metadata.Account {
	t.Helper()
	ctx := context.Background()
	a, err := e.local.Account(ctx, address)
	if mailerr.Is(err, mailerr.NotFound) {
		a, err = e.local.AddAccount(ctx, address, password)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// deliver puts messages into an account's INBOX.
func (e *env) deliver(t testing.TB, address string, messages ...string) {
	t.Helper()
	ctx := context.Background()
	for _, m := range messages {
		st, err := e.store.Stage(ctx, strings.NewReader(m), 0)
		if err != nil {
			t.Fatal(err)
		}
		d := e.store.Deliver(ctx, st, []mailstore.Recipient{{Account: e.account(t, address).ID}})
		if d[0].Err != nil {
			t.Fatal(d[0].Err)
		}
	}
}

// uids returns the UIDs in an account's INBOX.
func (e *env) uids(t testing.TB, address string) []metadata.UID {
	t.Helper()
	ctx := context.Background()
	sel, err := e.store.User(e.account(t, address).ID).Open(ctx, "INBOX", mailstore.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer sel.Close()
	var out []metadata.UID
	for u := range sel.AllUIDs().All {
		out = append(out, u)
	}
	return out
}

// expunge removes messages as an IMAP session would.
func (e *env) expunge(t testing.TB, address string, uids ...metadata.UID) {
	t.Helper()
	ctx := context.Background()
	sel, err := e.store.User(e.account(t, address).ID).Open(ctx, "INBOX", mailstore.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer sel.Close()
	if _, err := sel.ExpungeAll(ctx, metadata.UIDSetOf(uids...)); err != nil {
		t.Fatal(err)
	}
}
