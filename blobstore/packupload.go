package blobstore

import (
	"context"
	"hash/crc32"

	"github.com/rookery-mail/rookery/mailerr"
)

// PackUpload is a pack of one large body, streamed.
type PackUpload struct {
	id     PackID
	up     Upload
	frames *FrameWriter
	crc    uint32
	done   bool
}

// CreatePack begins a streamed pack.
func CreatePack(ctx context.Context, s Store, id PackID) (*PackUpload, error) {
	up, err := s.Create(ctx, PackKey(id))
	if err != nil {
		return nil, err
	}
	h := packHeader(id)
	if _, err := up.Write(h[:]); err != nil {
		up.Abort(context.WithoutCancel(ctx))
		return nil, err
	}
	u := &PackUpload{id: id, up: up}
	u.frames = NewFrameWriter(sumWriter{u})
	return u, nil
}

// sumWriter passes frames to the upload and sums them up.
type sumWriter struct{ u *PackUpload }

func (w sumWriter) Write(p []byte) (int, error) {
	w.u.crc = crc32.Update(w.u.crc, crcTable, p)
	return w.u.up.Write(p)
}

// Write takes raw bytes of the body.
func (u *PackUpload) Write(p []byte) (int, error) { return u.frames.Write(p) }

// Size returns the raw bytes taken so far.
func (u *PackUpload) Size() int64 { return u.frames.Size() }

// Commit writes the footer for the owners and makes the pack durable. When it fails the pack is thrown away.
func (u *PackUpload) Commit(ctx context.Context, owners ...Entry) (loc Location, size int64, err error) {
	if u.done {
		return Location{}, 0, mailerr.New("blobstore.PackUpload.Commit", mailerr.Internal, "")
	}
	if err := u.frames.Close(); err != nil {
		u.Abort(context.WithoutCancel(ctx))
		return Location{}, 0, err
	}
	loc = Location{Pack: u.id, Offset: headerLen, Length: u.frames.Length(), Size: u.frames.Size(), Frames: u.frames.Frames()}
	end := loc.Offset + loc.Length
	tail, err := appendFooter(nil, u.id, []footerBody{newFooterBody(loc, u.crc, owners)}, end)
	if err != nil {
		err = mailerr.Wrap("blobstore.PackUpload.Commit", mailerr.Internal, err)
	} else {
		_, err = u.up.Write(tail)
	}
	if err != nil {
		u.Abort(context.WithoutCancel(ctx))
		return Location{}, 0, err
	}
	u.done = true
	if err := u.up.Commit(ctx); err != nil {
		return Location{}, 0, err
	}
	return loc, end + int64(len(tail)), nil
}

// Abort throws the pack away. After Commit or another Abort it does nothing.
func (u *PackUpload) Abort(ctx context.Context) {
	if u.done {
		return
	}
	u.done = true
	_ = u.frames.Close() // gives its buffer back; what it writes is thrown away
	u.up.Abort(ctx)
}
