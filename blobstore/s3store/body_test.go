package s3store

import (
	"bytes"
	"io"
	"testing"
)

func TestBodyIsNotReadAfterRevoke(t *testing.T) {
	b := newBody([]byte("0123456789"))
	p := make([]byte, 4)
	if n, err := b.Read(p); n != 4 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	b.revoke()
	if n, err := b.Read(p); n != 0 || err == nil || err == io.EOF { //nolint:errorlint // EOF would end the request in good order
		t.Errorf("Read after revoke = %d, %v", n, err)
	}
	if !bytes.Equal(p, []byte("0123")) {
		t.Error("bytes were touched")
	}
}
