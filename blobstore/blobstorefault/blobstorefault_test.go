package blobstorefault_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstorefault"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/mailerr"
)

func TestConformanceWithoutRules(t *testing.T) {
	blobstoretest.Run(t, func(*testing.T) blobstore.Store { return blobstorefault.New(blobstoretest.NewMemory()) })
}

func TestModes(t *testing.T) {
	m := blobstoretest.NewMemory()
	s := blobstorefault.New(m)
	data := blobstoretest.Bytes(1, 100)
	own := errors.New("own")

	hits, remove := s.Add(blobstorefault.Rule{Op: blobstorefault.Put, Nth: 2, Mode: blobstorefault.FailBefore})
	for i, want := range []bool{true, false, true} {
		if err := s.Put(t.Context(), "a", data); (err == nil) != want || err != nil && !mailerr.Is(err, mailerr.Unavailable) {
			t.Errorf("Put %d: %v", i+1, err)
		}
	}
	if hits() != 1 {
		t.Errorf("%d hits", hits())
	}
	remove()

	_, remove = s.Add(blobstorefault.Rule{Op: blobstorefault.Put, Prefix: "b", Mode: blobstorefault.FailAfter, Err: own})
	if err := s.Put(t.Context(), "b", data); !errors.Is(err, own) || m.Object("b") == nil {
		t.Errorf("FailAfter: %v", err)
	}
	if err := s.Put(t.Context(), "c", data); err != nil {
		t.Errorf("another key: %v", err)
	}
	remove()

	_, remove = s.Add(blobstorefault.Rule{Op: blobstorefault.ReadRange, Mode: blobstorefault.Truncate})
	if got, err := s.ReadRange(t.Context(), "a", 0, 100); err != nil || len(got) != 50 {
		t.Errorf("Truncate: %d bytes, %v", len(got), err)
	}
	remove()

	_, remove = s.Add(blobstorefault.Rule{Op: blobstorefault.ReadRange, Mode: blobstorefault.Corrupt})
	if got, err := s.ReadRange(t.Context(), "a", 0, 100); err != nil || len(got) != 100 || bytes.Equal(got, data) {
		t.Errorf("Corrupt: %d bytes, %v", len(got), err)
	}
	remove()

	until := make(chan struct{})
	_, remove = s.Add(blobstorefault.Rule{Op: blobstorefault.Commit, Mode: blobstorefault.Delay, Until: until})
	for _, ended := range []bool{true, false} {
		u, err := s.Create(t.Context(), "d")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(data); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if ended {
			cancel()
		} else {
			close(until)
		}
		if err := u.Commit(ctx); (err == nil) == ended || (m.Object("d") == nil) != ended {
			t.Errorf("Delay: %v", err)
		}
		cancel()
	}
	remove()
}
