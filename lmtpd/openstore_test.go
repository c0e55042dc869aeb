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
func openStore(t testing.TB) (store *mailstore.Store, meta metadata.Store, blobDir string) {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: "sqlite:" + filepath.Join(dir, "rookery.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	blobDir = filepath.Join(dir, "blobs")
	blobs, err := filestore.Open(blobDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	hints := notify.NewLocal()
	t.Cleanup(func() { _ = hints.Close() })
	store, err = mailstore.New(mailstore.Config{Metadata: db, Blobs: blobs, Notify: hints})
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
	return store, db, blobDir
}
