package mailstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

func openMetadata(t testing.TB) metadata.Store {
	t.Helper()
	m, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "rookery.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m
}
