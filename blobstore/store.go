package blobstore

import (
	"context"
	"io"
	"time"
)

// Store is where objects live. Keys are slash-separated printable ASCII. Errors are *mailerr.Error: NotFound for an object
// that is not there (which proves nothing about a degraded store), Unavailable for a store that does not answer, Internal
// for content that is not as it must be.
type Store interface {
	// Put stores one object whole and checks what the store says it has (size, checksum). The object is durable when Put
	// returns nil and does not exist, or exists whole, otherwise. Writing a key twice with the same content is allowed. The
	// caller may use data again when Put has returned.
	Put(ctx context.Context, key string, data []byte) error
	// Create begins an object whose size is not known; nothing is visible before Commit. ctx bounds the upload's Writes.
	Create(ctx context.Context, key string) (Upload, error)
	// ReadRange returns length bytes from offset, in memory that is the caller's. Reading past the end is an Internal error (a
	// torn object).
	ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
	// Stat returns the object's size.
	Stat(ctx context.Context, key string) (ObjectInfo, error)
	// List calls yield for every object whose key begins with prefix, in key order, until yield returns an error, which List returns.
	List(ctx context.Context, prefix string, yield func(ObjectInfo) error) error
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Ping proves that the store can be reached and used.
	Ping(ctx context.Context) error
	Close() error
}

// ObjectInfo describes an object.
type ObjectInfo struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Upload is an object being written as a stream. Exactly one of Commit and Abort ends it.
type Upload interface {
	io.Writer
	// Commit makes the object visible and durable, checked as in Store.Put. When it fails, the upload is thrown away.
	Commit(ctx context.Context) error
	// Abort throws away what was written.
	Abort(ctx context.Context)
}
