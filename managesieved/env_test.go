package managesieved

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/internal/listener/listenertest"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = time.Minute
	password = "correct horse"
)

// env is a server on a real store.
type env struct {
	meta  *faultyScripts
	local *directory.Local
	srv   *Server
	addr  string
}

func newEnv(t testing.TB) *env {
	t.Helper()
	meta, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "metadata.sqlite"),
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = meta.Close() })
	if err := meta.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := &env{meta: &faultyScripts{Store: meta}}
	e.local, err = directory.New(directory.Options{Metadata: meta, DefaultDomain: "example.org", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"anna@example.org", "bob@example.org"} {
		if _, err := e.local.AddAccount(t.Context(), a, password); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *env) start(t testing.TB, change func(*Config)) {
	t.Helper()
	cfg := Config{Scripts: e.meta, Directory: e.local, Version: "1", TLS: listenertest.TLS(t, "example.org"), FailureDelay: time.Millisecond,
		Limits: metadata.ScriptLimits{Scripts: 3, ScriptBytes: 8192, TotalBytes: 12_000}, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.srv = srv
	e.addr = e.listen(t, false, func(l net.Listener) net.Listener { return l })
}

// listen serves on another port.
func (e *env) listen(t testing.TB, implicitTLS bool, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := e.srv.Serve(wrap(l), implicitTLS); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		serving.Wait()
	})
	return l.Addr().String()
}

func (e *env) owner(t testing.TB, address string) metadata.ScriptOwner {
	t.Helper()
	a, err := e.local.Account(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return metadata.AccountScripts(a.ID)
}

// faultyScripts fails or panics where a test says so.
type faultyScripts struct {
	metadata.Store
	mu  sync.Mutex
	put string // "": works
}

func (f *faultyScripts) PutScript(ctx context.Context, owner metadata.ScriptOwner, name, source string, limits metadata.ScriptLimits) error {
	f.mu.Lock()
	put := f.put
	f.mu.Unlock()
	switch put {
	case "panic":
		panic("test")
	case "unavailable":
		return mailerr.New("test", mailerr.Unavailable, "")
	}
	return f.Store.PutScript(ctx, owner, name, source, limits)
}

// directives are what transcripts may say behind "!".
func (e *env) directives() map[string]func(testing.TB, string) string {
	return map[string]func(testing.TB, string) string{
		"put": func(_ testing.TB, how string) string {
			e.meta.mu.Lock()
			defer e.meta.mu.Unlock()
			e.meta.put = how
			return ""
		},
		// failed ADDRESS SCRIPT TEXT: a delivery found the script wrong.
		"failed": func(t testing.TB, args string) string {
			address, rest, _ := strings.Cut(args, " ")
			script, text, _ := strings.Cut(rest, " ")
			if _, err := e.meta.RecordScriptError(t.Context(), e.owner(t, address), script, text); err != nil {
				t.Fatal(err)
			}
			return ""
		},
		"notls": func(t testing.TB, _ string) string {
			e.start(t, func(cfg *Config) { cfg.TLS = nil })
			return ""
		},
		"shutdown": func(t testing.TB, _ string) string {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := e.srv.Shutdown(ctx); err != nil {
				t.Fatal(err)
			}
			return ""
		},
	}
}
