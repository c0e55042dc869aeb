package blobstore_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryConformance(t *testing.T) {
	blobstoretest.Run(t, func(*testing.T) blobstore.Store { return blobstoretest.NewMemory() })
}

// discard is a Store whose Put costs nothing.
type discard struct{ blobstore.Store }

func (discard) Put(context.Context, string, []byte) error { return nil }
