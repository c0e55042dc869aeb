package mailstore

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Bodies returns the body rows (summaries included) of messages, by body id; those expunged and purged are missing. In few
// statements; callers ask for windows of some hundred messages.
func (sel *Selected) Bodies(ctx context.Context, ids []metadata.BodyID) (map[metadata.BodyID]*metadata.Body, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := sel.mayRead(ctx, "mailstore.Bodies"); err != nil {
		return nil, err
	}
	bodies, err := sel.view.store.meta.Bodies(ctx, sel.view.account, ids)
	if err != nil {
		return nil, wrap("mailstore.Bodies", err)
	}
	byID := make(map[metadata.BodyID]*metadata.Body, len(bodies))
	for i := range bodies {
		byID[bodies[i].ID] = &bodies[i]
	}
	return byID, nil
}

// OpenBody returns a reader of a body's raw bytes, prefix included.
func (sel *Selected) OpenBody(b *metadata.Body) *BodyReader {
	return sel.view.store.openBody(b)
}

func (s *Store) openBody(b *metadata.Body) *BodyReader {
	return &BodyReader{store: s, account: b.Account, id: b.ID, prefix: b.Prefix, loc: locationOf(b)}
}

// Prefetch reads the bodies of messages that will be asked for soon, within the cache's bounds.
func (sel *Selected) Prefetch(ctx context.Context, bodies []*metadata.Body) {
	if len(bodies) == 0 {
		return
	}
	locs := make([]blobstore.Location, len(bodies))
	for i, b := range bodies {
		locs[i] = locationOf(b)
	}
	sel.view.store.reader.Prefetch(ctx, locs)
}

func locationOf(b *metadata.Body) blobstore.Location {
	return blobstore.Location{Pack: blobstore.PackID(b.Pack), Offset: b.Offset, Length: b.Length, Size: b.Stored, Frames: b.Frames}
}

// BodyReader reads a body's raw bytes: io.ReaderAt with a context. Its methods may be called concurrently.
type BodyReader struct {
	store   *Store
	account metadata.AccountID
	id      metadata.BodyID
	prefix  []byte

	mu  sync.Mutex
	loc blobstore.Location // guarded by mu
}

// Size returns the bytes of BODY[].
func (r *BodyReader) Size() int64 { return int64(len(r.prefix)) + r.location().Size }

// ReadAt fills p from offset off; io.EOF with fewer bytes at the end. Errors: Unavailable, Internal.
func (r *BodyReader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	const op = "mailstore.ReadAt"
	if off < 0 {
		return 0, mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("offset %d", off))
	}
	n := 0
	if off < int64(len(r.prefix)) {
		if n = copy(p, r.prefix[off:]); n == len(p) {
			return n, nil
		}
	}
	stored := off + int64(n) - int64(len(r.prefix))
	loc := r.location()
	if stored >= loc.Size {
		return n, io.EOF
	}
	m, err := r.store.reader.ReadAt(ctx, loc, p[n:], stored)
	if mailerr.Is(err, mailerr.NotFound) {
		// Compaction may have moved the body since its row was read.
		if loc, err = r.relocate(ctx, loc); err == nil {
			m, err = r.store.reader.ReadAt(ctx, loc, p[n:], stored)
		}
	}
	if err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt's io.EOF is never wrapped
		if mailerr.Is(err, mailerr.NotFound) {
			// A degraded object store says so of objects it has: it is not for us to believe it.
			err = mailerr.Wrap(op, mailerr.Unavailable, err)
		}
		return n + m, wrap(op, err)
	}
	return n + m, err
}

func (r *BodyReader) location() blobstore.Location {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loc
}

// relocate asks the database where the body is now. An error when that is still where it was not found.
func (r *BodyReader) relocate(ctx context.Context, old blobstore.Location) (blobstore.Location, error) {
	const op = "mailstore.ReadAt"
	bodies, err := r.store.meta.BodyLocations(ctx, r.account, []metadata.BodyID{r.id})
	if err != nil {
		return old, err
	}
	if len(bodies) == 0 {
		return old, mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("body %s has no row", r.id))
	}
	loc := locationOf(&bodies[0])
	if loc.Pack == old.Pack && loc.Offset == old.Offset {
		return old, mailerr.Wrap(op, mailerr.Unavailable, fmt.Errorf("pack %x not found", old.Pack))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loc = loc
	return loc, nil
}
