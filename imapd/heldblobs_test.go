package imapd

import (
	"context"
	"sync"

	"github.com/rookery-mail/rookery/blobstore"
)

// heldBlobs is a blob store whose reads wait while a test says so.
type heldBlobs struct {
	blobstore.Store

	mu   sync.Mutex
	held *hold // guarded by mu; nil: nothing waits
}

// hold is what reads wait for.
type hold struct {
	entered   chan struct{} // a value for a read that waits
	cancelled chan struct{} // a value for a read that was given up
	released  chan struct{}
}

// hold lets every read wait from now on.
func (b *heldBlobs) hold() *hold {
	h := &hold{entered: make(chan struct{}, 100), cancelled: make(chan struct{}, 100), released: make(chan struct{})}
	b.set(h)
	return h
}

// release lets reads go on.
func (b *heldBlobs) release() { close(b.set(nil).released) }

func (b *heldBlobs) set(h *hold) (before *hold) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, b.held = b.held, h
	return before
}

func (b *heldBlobs) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	b.mu.Lock()
	h := b.held
	b.mu.Unlock()
	if h != nil {
		h.entered <- struct{}{}
		select {
		case <-h.released:
		case <-ctx.Done():
			h.cancelled <- struct{}{}
			return nil, ctx.Err()
		}
	}
	return b.Store.ReadRange(ctx, key, offset, length)
}
