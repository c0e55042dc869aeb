package s3store

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

// ReadRange returns length bytes from offset, in one request.
func (s *Store) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	const op = "s3store.ReadRange"
	if err := blobstore.CheckRange(op, key, offset, length); err != nil {
		return nil, err
	}
	if length == 0 {
		return []byte{}, wrap(op, ctx.Err()) // a range request cannot say this
	}
	ctx, cancel := s.bound(ctx, length)
	defer cancel()
	var o minio.GetObjectOptions
	if err := o.SetRange(offset, offset+length-1); err != nil {
		return nil, mailerr.Wrap(op, mailerr.Invalid, err)
	}
	body, info, header, err := s.core.GetObject(ctx, s.bucket, key, o)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer body.Close()
	torn := func(what string) error {
		return mailerr.Wrap(op, mailerr.Internal, fmt.Errorf("%s: %s for %d bytes at %d", key, what, length, offset))
	}
	// A proxy that ignores Range would give the object's beginning.
	if got := header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-%d/", offset, offset+length-1)) {
		return nil, torn(fmt.Sprintf("the server sends range %q", got))
	}
	if info.Size != length {
		return nil, torn(fmt.Sprintf("the server sends %d bytes", info.Size))
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, mailerr.Wrap(op, mailerr.Unavailable, err) // the connection broke; what it carried is incomplete
	}
	return data, nil
}

// Stat returns the object's size.
func (s *Store) Stat(ctx context.Context, key string) (blobstore.ObjectInfo, error) {
	const op = "s3store.Stat"
	if err := blobstore.CheckKey(op, key); err != nil {
		return blobstore.ObjectInfo{}, err
	}
	ctx, cancel := s.bound(ctx, 0)
	defer cancel()
	info, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return blobstore.ObjectInfo{}, wrap(op, err)
	}
	return blobstore.ObjectInfo{Key: key, Size: info.Size, Modified: info.LastModified}, nil
}

const pageSize = 1000

// List calls yield for every object whose key begins with prefix, in key order. No connection is held during yield.
func (s *Store) List(ctx context.Context, prefix string, yield func(blobstore.ObjectInfo) error) error {
	const op = "s3store.List"
	if err := blobstore.CheckPrefix(op, prefix); err != nil {
		return err
	}
	for after := ""; ; {
		objects, err := s.page(ctx, op, prefix, after, pageSize)
		if err != nil {
			return err
		}
		for _, o := range objects {
			after = o.Key
			if blobstore.CheckKey(op, o.Key) != nil {
				continue // nothing of ours, such as a directory's marker
			}
			if err := yield(o); err != nil {
				return err
			}
		}
		if len(objects) < pageSize {
			return nil
		}
	}
}

// page returns at most limit objects behind the key after.
func (s *Store) page(ctx context.Context, op, prefix, after string, limit int) ([]blobstore.ObjectInfo, error) {
	ctx, cancel := s.bound(ctx, 0)
	defer cancel()
	var objects []blobstore.ObjectInfo
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{
		Prefix: prefix, Recursive: true, StartAfter: after, MaxKeys: limit}) {
		if o.Err != nil {
			return nil, wrap(op, o.Err)
		}
		objects = append(objects, blobstore.ObjectInfo{Key: o.Key, Size: o.Size, Modified: o.LastModified})
		if len(objects) == limit {
			break
		}
	}
	return objects, wrap(op, ctx.Err())
}
