package blobstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
)

// Limit returns s with at most n calls running at a time; the others wait, as long as their contexts last. Writes of uploads
// count as calls. List and Ping do not: the first may call back, and the second must not wait behind what it asks about.
func Limit(s Store, n int) Store { return &limitStore{s, make(chan struct{}, max(n, 1))} }

type limitStore struct {
	Store
	slots chan struct{}
}

// do runs call when there is room for it.
func (l *limitStore) do(ctx context.Context, call func() error) error {
	select {
	case l.slots <- struct{}{}:
	default:
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return mailerr.Wrap("blobstore.Limit", mailerr.Unavailable, ctx.Err())
		}
	}
	defer func() { <-l.slots }()
	return call()
}

func (l *limitStore) Put(ctx context.Context, key string, data []byte) error {
	return l.do(ctx, func() error { return l.Store.Put(ctx, key, data) })
}

func (l *limitStore) ReadRange(ctx context.Context, key string, offset, length int64) (data []byte, err error) {
	err = l.do(ctx, func() error {
		data, err = l.Store.ReadRange(ctx, key, offset, length)
		return err
	})
	return data, err
}

func (l *limitStore) Stat(ctx context.Context, key string) (info ObjectInfo, err error) {
	err = l.do(ctx, func() error {
		info, err = l.Store.Stat(ctx, key)
		return err
	})
	return info, err
}

func (l *limitStore) Delete(ctx context.Context, key string) error {
	return l.do(ctx, func() error { return l.Store.Delete(ctx, key) })
}

func (l *limitStore) Create(ctx context.Context, key string) (u Upload, err error) {
	err = l.do(ctx, func() error {
		u, err = l.Store.Create(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &limitUpload{u, l, ctx}, nil
}

type limitUpload struct {
	Upload
	l   *limitStore
	ctx context.Context // Create's: for Write
}

func (u *limitUpload) Write(p []byte) (n int, err error) {
	err = u.l.do(u.ctx, func() error {
		n, err = u.Upload.Write(p)
		return err
	})
	return n, err
}

func (u *limitUpload) Commit(ctx context.Context) error {
	called := false
	err := u.l.do(ctx, func() error {
		called = true
		return u.Upload.Commit(ctx)
	})
	if !called {
		u.Upload.Abort(context.WithoutCancel(ctx))
	}
	return err
}
