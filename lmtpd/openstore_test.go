package lmtpd

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
	"github.com/rookery-mail/rookery/notify"
)

// openStore makes a mail store on SQLite and files.
func openStore(t testing.TB) (*mailstore.Store, metadata.Store) {
	t.Helper()
	dir := t.TempDir()
	meta, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: "sqlite:" + filepath.Join(dir, "rookery.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = meta.Close() })
	if err := meta.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	blobs, err := filestore.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	hints := notify.NewLocal()
	t.Cleanup(func() { _ = hints.Close() })
	store, err := mailstore.New(mailstore.Config{Metadata: meta, Blobs: blobs, Notify: hints})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return store, meta
}
