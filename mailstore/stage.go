package mailstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

const (
	// streamAbove is the raw size above which a message is streamed into a pack of its own.
	streamAbove = 4 << 20
	// maxUploads is how many messages are streamed at once; an upload holds a few parts in memory.
	maxUploads = 32
	// abortTimeout bounds cleaning up after an upload that failed. What is left of it is invisible.
	abortTimeout = 30 * time.Second
)

// Staged is a message read to its end. Exactly one of Deliver, Append and Discard ends it; all may be called once.
type Staged struct {
	store   *Store
	size    int64
	hash    []byte
	summary []byte
	links   []metadata.ThreadLink
	head    []byte // the header; more of a large message, less of a huge header: see Head

	// Set once the bytes are durable, see MakeDurable:
	durable bool
	packRow metadata.Pack
	loc     blobstore.Location
	ids     map[metadata.AccountID]metadata.BodyID // what the pack says whose they are; each is used for one body

	// A small message:
	body  blobstore.Compressed
	grant grant

	// A large one:
	pack   metadata.PackID
	upload *blobstore.PackUpload
	cancel context.CancelFunc // of the upload's context
}

// Stage reads a message from r to io.EOF. Small ones stay in memory, compressed; large ones (over 4 MiB raw) are streamed
// into a pack of their own. TooBig when there are more than maxSize bytes (0: no limit); r is then read no further. An error of r is
// returned wrapped, so that errors.Is finds it. NUL bytes and bare LF are kept as they are. When memory for small messages
// is used up it waits; a context that ends meanwhile gives Unavailable. So does a message that comes in slowly while others
// wait for what it holds (see receivers); what is left of it in r is not read.
func (s *Store) Stage(ctx context.Context, r io.Reader, maxSize int64) (*Staged, error) {
	const op = "mailstore.Stage"
	sg := &stager{
		Staged:  &Staged{store: s, grant: grant{m: s.memory}},
		scanner: message.NewScanner(),
		sum:     sha256.New(),
	}
	s.receivers.add(sg)
	err := sg.readAll(ctx, r, maxSize)
	if !s.receivers.remove(sg) {
		return nil, wrap(op, ErrTooSlow) // what it held is gone already
	}
	if err != nil {
		sg.drop()
		return nil, wrap(op, err)
	}
	if err := sg.finish(ctx); err != nil {
		sg.drop()
		return nil, wrap(op, err)
	}
	return sg.Staged, nil
}

// Size returns the raw bytes.
func (st *Staged) Size() int64 { return st.size }

// Discard throws the message away.
func (st *Staged) Discard() {
	if st.upload != nil {
		ctx, cancel := context.WithTimeout(context.Background(), abortTimeout)
		st.upload.Abort(ctx)
		cancel()
	}
	st.release()
}

// release gives back what the message holds, when it is stored or thrown away.
func (st *Staged) release() {
	if st.upload != nil {
		st.upload = nil
		st.cancel()
		st.store.uploads.Release(1)
	}
	st.body.Data = nil
	st.grant.shrink(0)
}

// stager is a Staged in the making.
type stager struct {
	*Staged
	scanner *message.Scanner
	sum     hash.Hash
	raw     []byte // what was read and is not in the upload
	pace    pace
}

// errTooBig is not an error of the reader.
var errTooBig = mailerr.New("mailstore.Stage", mailerr.TooBig, "message too big")

func (sg *stager) readAll(ctx context.Context, r io.Reader, maxSize int64) error {
	if err := sg.grant.grow(ctx, sg.store.receivers, int64(bufferSizes[0])); err != nil {
		return mailerr.Wrap("mailstore.Stage", mailerr.Unavailable, err)
	}
	sg.raw = getBuffer(bufferSizes[0])
	var piece []byte // what is read into, once raw is larger: raw can then be taken away during a Read
	defer func() { putBuffer(piece) }()
	for empty := 0; ; {
		if len(sg.raw) == cap(sg.raw) {
			if err := sg.makeRoom(ctx); err != nil {
				return err
			}
		}
		room := sg.raw[len(sg.raw):cap(sg.raw)]
		if cap(sg.raw) > bufferSizes[0] {
			if piece == nil {
				piece = getBuffer(bufferSizes[0])
			}
			room = piece[:min(cap(piece), len(room))]
		}
		n, err := sg.store.receivers.read(sg, r, room)
		if n > 0 {
			empty = 0
			chunk := room[:n]
			sg.raw = append(sg.raw, chunk...)
			sg.size += int64(n)
			if maxSize > 0 && sg.size > maxSize {
				return errTooBig
			}
			_, _ = sg.scanner.Write(chunk) // never fails
			_, _ = sg.sum.Write(chunk)     // never fails
		}
		switch {
		case err == ErrTooSlow: //nolint:errorlint // it is this one
			return err
		case err == io.EOF: //nolint:errorlint // a wrapped EOF is a broken reader, not an end
			return nil
		case err != nil:
			return &readError{err}
		case n == 0:
			if empty++; empty == 100 {
				return &readError{io.ErrNoProgress}
			}
		}
	}
}

// makeRoom is called with a full buffer: it takes the next size, or moves on to streaming.
func (sg *stager) makeRoom(ctx context.Context) error {
	if sg.upload == nil && cap(sg.raw) < streamAbove {
		next := streamAbove
		for _, size := range bufferSizes {
			if size > cap(sg.raw) {
				next = size
				break
			}
		}
		// Old and new buffer are both held for a moment; the budget counts the one that stays.
		if err := sg.grant.grow(ctx, sg.store.receivers, int64(next)); err != nil {
			return mailerr.Wrap("mailstore.Stage", mailerr.Unavailable, err)
		}
		bigger := append(getBuffer(next), sg.raw...)
		putBuffer(sg.raw)
		sg.raw = bigger
		return nil
	}
	if sg.upload == nil {
		sg.head = bytes.Clone(sg.raw[:min(len(sg.raw), maxHead)])
		if err := sg.startUpload(ctx); err != nil {
			return err
		}
	}
	return sg.flush(ctx)
}

func (sg *stager) startUpload(ctx context.Context) error {
	if err := sg.store.receivers.acquire(ctx, sg.store.uploads, (*stager).uploading); err != nil {
		return mailerr.Wrap("mailstore.Stage", mailerr.Unavailable, err)
	}
	// The upload outlives this call, so it must not end with the caller's context; see finish.
	uploadCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	sg.pack = metadata.NewPackID(sg.store.now())
	upload, err := blobstore.CreatePack(uploadCtx, sg.store.blobs, blobstore.PackID(sg.pack))
	if err != nil {
		cancel()
		sg.store.uploads.Release(1)
		return err
	}
	sg.upload, sg.cancel = upload, cancel
	return nil
}

// flush moves the buffer into the upload and keeps a small buffer to read on.
func (sg *stager) flush(ctx context.Context) error {
	if err := sg.send(ctx); err != nil {
		return err
	}
	if chunk := bufferSizes[2]; cap(sg.raw) > chunk {
		putBuffer(sg.raw)
		sg.raw = getBuffer(chunk)
		sg.grant.shrink(int64(chunk))
	}
	sg.raw = sg.raw[:0]
	return nil
}

// send writes the buffer to the upload, giving up when ctx ends.
func (sg *stager) send(ctx context.Context) error {
	stop := context.AfterFunc(ctx, sg.cancel)
	defer stop()
	_, err := sg.upload.Write(sg.raw)
	if err != nil && ctx.Err() != nil {
		return mailerr.Wrap("mailstore.Stage", mailerr.Unavailable, err)
	}
	return err
}

// finish compresses a small message, or writes the rest of a large one.
func (sg *stager) finish(ctx context.Context) error {
	if sg.upload != nil {
		if err := sg.send(ctx); err != nil {
			return err
		}
		putBuffer(sg.raw)
		sg.raw = nil
		sg.grant.shrink(0)
		return sg.summarize(nil)
	}
	raw := sg.raw
	if err := sg.compress(); err != nil {
		return err
	}
	defer putBuffer(raw)
	return sg.summarize(raw)
}

// summarize keeps what is known of the message. raw is a small one, nil for a large one.
func (sg *stager) summarize(raw []byte) error {
	structure := sg.scanner.Close()
	if raw != nil {
		sg.head = bytes.Clone(raw[:min(structure.Root.BodyOffset, int64(len(raw)), maxHead)])
	}
	sg.preview(structure, raw)
	sg.summary = structure.Encode()
	sg.links = threadLinks(structure)
	sg.hash = sg.sum.Sum(nil)
	return nil
}

// preview makes the preview part of what is known of a message, unless it is in what is not at hand any more of a large one.
func (sg *stager) preview(structure *message.Structure, raw []byte) {
	if raw == nil {
		raw = sg.head
	}
	text, err := message.Preview(&structure.Root, func(p *message.Part) io.Reader {
		end := min(p.End, p.BodyOffset+message.PreviewBytes)
		if end > int64(len(raw)) {
			return notAtHand{}
		}
		return bytes.NewReader(raw[p.BodyOffset:end])
	})
	if err == nil {
		structure.Preview = &text
	}
}

// notAtHand reads what was streamed already.
type notAtHand struct{}

func (notAtHand) Read([]byte) (int, error) { return 0, errors.New("mailstore: not at hand") }

func (sg *stager) compress() error {
	var data bytes.Buffer
	data.Grow(min(len(sg.raw), len(sg.raw)/2+512))
	fw := blobstore.NewFrameWriter(&data)
	if _, err := fw.Write(sg.raw); err != nil {
		return err
	}
	if err := fw.Close(); err != nil {
		return err
	}
	sg.raw = nil // the caller gives the buffer back
	sg.body = blobstore.Compressed{Data: data.Bytes(), Frames: fw.Frames(), Size: fw.Size()}
	sg.grant.shrink(int64(data.Cap()))
	return nil
}

// drop throws away what was read so far.
func (sg *stager) drop() {
	if sg.raw != nil {
		putBuffer(sg.raw)
		sg.raw = nil
	}
	sg.Discard()
}

// readError is an error of the reader given to Stage: the client's or its connection's, not ours.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// wrap gives err this package's operation, keeping its kind and text. An error of Stage's reader stays what it is.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var re *readError
	if errors.As(err, &re) {
		return fmt.Errorf("%s: %w", op, re.err)
	}
	var me *mailerr.Error
	if errors.As(err, &me) {
		return &mailerr.Error{Op: op, Kind: me.Kind, ClientText: me.ClientText, Err: err}
	}
	return mailerr.Wrap(op, mailerr.KindOf(err), err)
}
