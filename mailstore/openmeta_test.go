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
	return openURL(t, "sqlite:"+filepath.Join(t.TempDir(), "rookery.db"))
}

func openURL(t testing.TB, url string) metadata.Store {
	t.Helper()
	m, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m
}
