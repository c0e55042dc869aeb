package s3store

import (
	"bytes"
	"io"
	"sync"
)

// body is a request's body. The HTTP transport may go on reading the body of a request that was given up, so the caller
// revokes it before the bytes are used for something else.
type body struct {
	mu sync.Mutex
	r  *bytes.Reader // nil once revoked; guarded by mu
}

func newBody(data []byte) *body { return &body{r: bytes.NewReader(data)} }

// Read reads what is left.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.r == nil {
		return 0, io.ErrClosedPipe
	}
	return b.r.Read(p)
}

// revoke ends reading; when it has returned the bytes are not touched any more.
func (b *body) revoke() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.r = nil
}
