package sqlstore_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// engines are the databases every test of the package runs on.
var engines = []struct {
	name string
	url  func(testing.TB) string // a fresh, empty database; skips when there is none
}{
	{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "rookery.db") }},
	{"postgresql", func(t testing.TB) string { return servers.PostgreSQL(t) }},
	{"cockroachdb", func(t testing.TB) string {
		dsn, ok := servers.Cockroach(t)
		if !ok {
			t.Skip("no CockroachDB: set ROOKERY_TEST_COCKROACH_URL or put cockroach on PATH")
		}
		return "cockroachdb" + strings.TrimPrefix(dsn, "postgresql")
	}},
}

// onEngines runs a test on every engine.
func onEngines(t *testing.T, test func(t *testing.T, url string)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.url(t)) })
	}
}

// open returns a migrated store that ends with the test.
func open(t testing.TB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
