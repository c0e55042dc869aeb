package sqlstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

func TestOpenRefusesURL(t *testing.T) {
	for _, url := range []string{"", "mysql://secret@host/db", "sqlite:", "sqlite::memory:", "postgresql://user:secret@host:badport/db"} {
		s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: url})
		if err == nil {
			t.Errorf("%q was opened: %v", url, s.Close())
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error for %q tells the password: %v", url, err)
		}
	}
}

func TestUnreachableDatabase(t *testing.T) {
	for _, scheme := range []string{"postgresql", "cockroachdb"} {
		s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: scheme + "://user:secret@127.0.0.1:1/db?sslmode=disable"})
		if err != nil {
			t.Fatal(err)
		}
		id := metadata.NewAccountID()
		for what, err := range map[string]error{
			"Ping":         s.Ping(t.Context()),
			"Migrate":      s.Migrate(t.Context()),
			"SetQuota":     s.SetQuota(t.Context(), id, 1, 1),
			"AcquireLease": s.AcquireLease(t.Context(), "a", "b", time.Second),
			"Subscribe":    s.Subscribe(t.Context(), id, "x"),
		} {
			if !mailerr.Is(err, mailerr.Unavailable) || mailerr.ClientText(err) != mailerr.Unavailable.String() {
				t.Errorf("%s: %v, a client is told %q", what, err, mailerr.ClientText(err))
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s tells the password: %v", what, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSchemaVersionOfEmptyDatabase(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // nothing was written
		have, want, err := s.SchemaVersion(t.Context())
		if err != nil || have != 0 || want == 0 {
			t.Fatalf("have %d, want %d: %v", have, want, err)
		}
		_, err = s.Account(t.Context(), metadata.NewAccountID())
		if !mailerr.Is(err, mailerr.Internal) {
			t.Fatalf("without a schema: %v", err)
		}
	})
}

// TestConcurrentMigrate migrates an empty database from several nodes at once.
func TestConcurrentMigrate(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		var g errgroup.Group
		for range 4 {
			g.Go(func() error {
				s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: url})
				if err != nil {
					return err
				}
				if err := s.Migrate(t.Context()); err != nil {
					return err
				}
				have, want, err := s.SchemaVersion(t.Context())
				if err != nil || have != want {
					t.Errorf("schema version %d of %d: %v", have, want, err)
				}
				return s.Close()
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSQLiteFile(t *testing.T) {
	for _, name := range []string{"plain.db", "with space & ?mode=ro%20#x.db", "dir/ü.db"} {
		path := filepath.Join(t.TempDir(), "new", name)
		s := open(t, sqlstore.Options{URL: "sqlite:" + path})
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal"} {
			fi, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if fi.Mode().Perm() != 0o600 {
				t.Errorf("%s%s has mode %v: it holds password hashes", name, suffix, fi.Mode())
			}
		}
	}
	t.Chdir(t.TempDir())
	open(t, sqlstore.Options{URL: "sqlite:relative dir/a%b.db"})
	if _, err := os.Stat("relative dir/a%b.db"); err != nil {
		t.Fatal(err)
	}
}

func TestClosed(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := open(t, sqlstore.Options{URL: url})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); !mailerr.Is(err, mailerr.Unavailable) {
			t.Fatalf("Ping after Close: %v", err)
		}
		if err := s.Subscribe(t.Context(), metadata.NewAccountID(), "x"); !mailerr.Is(err, mailerr.Unavailable) {
			t.Fatalf("Subscribe after Close: %v", err)
		}
	})
}
