package s3store

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// upload is an object that grows part by part. It becomes a multipart upload with its second part; a smaller one is put in
// one request at Commit.
type upload struct {
	s     *Store
	ctx   context.Context // Create's: it bounds what Write does
	key   string
	id    string // of the multipart upload; "": not begun
	buf   *[]byte
	parts []minio.CompletePart
	size  int64
	err   error // once it has failed it stays so
	ended bool
}

// Create begins an object whose size is not known. ctx must last until Commit or Abort.
func (s *Store) Create(ctx context.Context, key string) (blobstore.Upload, error) {
	const op = "s3store.Create"
	if err := blobstore.CheckKey(op, key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(op, err)
	}
	return &upload{s: s, ctx: ctx, key: key}, nil
}

// Write takes bytes; it waits when a part is full and is sent.
func (u *upload) Write(p []byte) (int, error) {
	const op = "s3store.Upload.Write"
	if u.ended && u.err == nil {
		u.err = mailerr.Wrap(op, mailerr.Internal, errFinished)
	}
	taken := 0
	for len(p) > 0 && u.err == nil {
		if u.err = u.acquire(op); u.err != nil {
			break
		}
		n := min(len(p), u.s.partSize-len(*u.buf))
		*u.buf = append(*u.buf, p[:n]...)
		p, taken = p[n:], taken+n
		if len(*u.buf) == u.s.partSize {
			u.err = u.flush(u.ctx)
		}
	}
	u.size += int64(taken)
	return taken, u.err
}

// acquire gets a buffer, when there is room for one more.
func (u *upload) acquire(op string) error {
	if u.buf != nil {
		return nil
	}
	select {
	case u.s.slots <- struct{}{}:
	case <-u.ctx.Done():
		return wrap(op, u.ctx.Err())
	}
	if b, ok := u.s.parts.Get().(*[]byte); ok {
		*b = (*b)[:0]
		u.buf = b
	} else {
		b := make([]byte, 0, u.s.partSize)
		u.buf = &b
	}
	return nil
}

// release gives the buffer back.
func (u *upload) release() {
	if u.buf == nil {
		return
	}
	u.s.parts.Put(u.buf)
	u.buf = nil
	<-u.s.slots
}

// flush sends the buffer as the next part.
func (u *upload) flush(ctx context.Context) error {
	const op = "s3store.Upload"
	if u.id == "" {
		err := u.s.retry.Do(ctx, func(ctx context.Context) error {
			ctx, cancel := u.s.bound(ctx, 0)
			defer cancel()
			var err error
			u.id, err = u.s.core.NewMultipartUpload(ctx, u.s.bucket, u.key, minio.PutObjectOptions{
				UserMetadata: map[string]string{algorithmHeader: "CRC32C"}})
			return wrap(op, err)
		})
		if err != nil {
			return err
		}
	}
	data := *u.buf
	number := len(u.parts) + 1
	sum := u.s.sum(data)
	err := u.s.retry.Do(ctx, func(ctx context.Context) error {
		ctx, cancel := u.s.bound(ctx, int64(len(data)))
		defer cancel()
		body := newBody(data)
		defer body.revoke()
		part, err := u.s.core.PutObjectPart(ctx, u.s.bucket, u.key, u.id, number, body, int64(len(data)),
			minio.PutObjectPartOptions{Sha256Hex: sum.sha256, DisableContentSha256: true,
				CustomHeader: http.Header{crcHeader: {sum.crc}}})
		if err != nil {
			return wrap(op, err)
		}
		if part.ChecksumCRC32C != "" && part.ChecksumCRC32C != sum.crc {
			return stored(op, fmt.Errorf("%s: the server has checksum %s for part %d, sent was %s", u.key, part.ChecksumCRC32C, number, sum.crc))
		}
		u.parts = append(u.parts[:number-1], minio.CompletePart{PartNumber: number, ETag: part.ETag, ChecksumCRC32C: part.ChecksumCRC32C})
		return nil
	})
	if err == nil {
		*u.buf = data[:0]
	}
	return err
}

// Commit makes the object visible and durable, and checks the size the server has.
func (u *upload) Commit(ctx context.Context) error {
	const op = "s3store.Upload.Commit"
	if u.ended {
		return mailerr.Wrap(op, mailerr.Internal, errFinished)
	}
	if u.err == nil {
		u.err = wrap(op, ctx.Err())
	}
	if u.err == nil {
		u.err = u.commit(ctx, op)
	}
	if err := u.err; err != nil {
		u.Abort(ctx)
		return err
	}
	u.ended = true
	u.release()
	return nil
}

func (u *upload) commit(ctx context.Context, op string) error {
	if u.id == "" {
		var data []byte
		if u.buf != nil {
			data = *u.buf
		}
		return u.s.retry.Do(ctx, func(ctx context.Context) error { return u.s.Put(ctx, u.key, data) })
	}
	if u.buf != nil && len(*u.buf) > 0 {
		if err := u.flush(ctx); err != nil {
			return err
		}
	}
	return u.s.retry.Do(ctx, func(ctx context.Context) error {
		ctx, cancel := u.s.bound(ctx, u.size)
		defer cancel()
		_, err := u.s.core.CompleteMultipartUpload(ctx, u.s.bucket, u.key, u.id, u.parts, minio.PutObjectOptions{})
		if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchUpload {
			return wrap(op, err)
		}
		// NoSuchUpload after a lost answer means that it is complete. In either case what is there tells.
		info, err := u.s.core.StatObject(ctx, u.s.bucket, u.key, minio.StatObjectOptions{})
		if err != nil {
			return mailerr.Wrap(op, mailerr.Unavailable, err)
		}
		if info.Size != u.size {
			return stored(op, fmt.Errorf("%s: the server has %d bytes, sent were %d", u.key, info.Size, u.size))
		}
		return nil
	})
}

// abortTimeout bounds Abort, which works when the caller's context has ended. Parts it leaves behind are swept by the
// server's lifecycle rule for incomplete uploads.
const abortTimeout = 5 * time.Second

// Abort throws away what was written.
func (u *upload) Abort(ctx context.Context) {
	if u.ended {
		return
	}
	u.ended = true
	u.release()
	if u.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_ = u.s.core.AbortMultipartUpload(ctx, u.s.bucket, u.key, u.id)
}
