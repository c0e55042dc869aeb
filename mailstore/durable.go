package mailstore

import (
	"context"
	"errors"
	"io"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// maxHead is how much of a message is at hand without unpacking it.
const maxHead = 256 << 10

// Head returns the message's first bytes: its whole header if that has at most 256 KiB.
func (st *Staged) Head() []byte { return st.head }

// Hash returns the SHA-256 of the raw bytes.
func (st *Staged) Hash() []byte { return st.hash }

// Structure returns what is known of the message's parts.
func (st *Staged) Structure() (*message.Structure, error) {
	s, err := message.Decode(st.summary, nil)
	return s, wrap("mailstore.Structure", err)
}

// MakeDurable writes the bytes to the object store before anybody has the message, in a pack of their own, for whom they will
// be. Deliver uses that pack. A second call does nothing.
func (st *Staged) MakeDurable(ctx context.Context, owners ...metadata.AccountID) error {
	const op = "mailstore.MakeDurable"
	if st.durable {
		return nil
	}
	now := st.store.now()
	st.ids = make(map[metadata.AccountID]metadata.BodyID, len(owners))
	entries := make([]blobstore.Entry, 0, len(owners))
	for _, o := range owners {
		if _, ok := st.ids[o]; !ok {
			st.ids[o] = metadata.NewBodyID(now)
			entries = append(entries, blobstore.Entry{Body: blobstore.BodyID(st.ids[o]), Account: blobstore.OwnerID(o), InternalDate: now})
		}
	}
	var size int64
	var err error
	if st.upload != nil {
		stop := context.AfterFunc(ctx, st.cancel)
		st.loc, size, err = st.upload.Commit(ctx, entries...)
		stop()
	} else {
		st.pack = metadata.NewPackID(now)
		b := blobstore.NewBuilder(blobstore.PackID(st.pack))
		st.loc = b.Add(st.body, entries...)
		size, err = b.Put(ctx, st.store.blobs)
	}
	if err != nil {
		st.store.metrics.packs.WithLabelValues("failed").Inc()
		return wrap(op, mailerr.Wrap("blobstore.Put", mailerr.Unavailable, err))
	}
	st.store.metrics.packs.WithLabelValues("stored").Inc()
	st.durable = true
	st.packRow = metadata.Pack{ID: st.pack, Size: size, Bodies: 1, Created: now}
	return nil
}

// bodyID returns the id of a new body of an account.
func (st *Staged) bodyID(account metadata.AccountID, fresh metadata.BodyID) metadata.BodyID {
	if id, ok := st.ids[account]; ok {
		delete(st.ids, account)
		return id
	}
	return fresh
}

// Open returns a reader of the raw bytes, valid until Deliver, Append or Discard. A large message that somebody reads behind its
// Head is made durable first. Reading gives Unavailable, Internal. The reader is for one goroutine.
func (st *Staged) Open(ctx context.Context, owner metadata.AccountID) io.ReaderAt {
	return &stagedReader{ctx: ctx, st: st, owner: owner}
}

type stagedReader struct {
	ctx   context.Context
	st    *Staged
	owner metadata.AccountID
	small io.ReaderAt
}

// ReadAt implements io.ReaderAt.
func (r *stagedReader) ReadAt(p []byte, off int64) (int, error) {
	const op = "mailstore.ReadAt"
	st := r.st
	switch {
	case off < 0:
		return 0, mailerr.Wrap(op, mailerr.Internal, errors.New("negative offset"))
	case off >= st.size:
		return 0, io.EOF
	case off+int64(len(p)) <= int64(len(st.head)):
		return copy(p, st.head[off:]), nil
	case st.upload == nil && !st.durable || st.body.Data != nil:
		if r.small == nil {
			r.small = st.body.Reader()
		}
		return r.small.ReadAt(p, off)
	}
	if err := st.MakeDurable(r.ctx, r.owner); err != nil {
		return 0, err
	}
	n, err := st.store.reader.ReadAt(r.ctx, st.loc, p, off)
	if err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt's io.EOF is never wrapped
		return n, wrap(op, mailerr.Wrap("blobstore.ReadAt", mailerr.Unavailable, err))
	}
	return n, err
}
