package transcript

import (
	"compress/flate"
	"net"
	"testing"
)

// deflatedConn compresses what is written, each Write with a flush behind it.
type deflatedConn struct {
	net.Conn
	w *flate.Writer
}

func newDeflatedConn(t testing.TB, conn net.Conn) *deflatedConn {
	w, err := flate.NewWriter(conn, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	return &deflatedConn{conn, w}
}

func (c *deflatedConn) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err == nil {
		err = c.w.Flush()
	}
	return n, err
}
