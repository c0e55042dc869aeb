package bench

import (
	"bufio"
	"encoding/binary"
	"net"

	"github.com/klauspost/compress/flate"
)

// compress begins COMPRESS=DEFLATE (RFC 4978).
func (c *imapClient) compress() error {
	if _, err := c.command("COMPRESS DEFLATE"); err != nil {
		return err
	}
	c.conn = storedConn{c.conn}
	c.r = bufio.NewReaderSize(flate.NewReader(c.r), 512)
	return nil
}

// storedConn is a connection that writes blocks of DEFLATE that are not compressed (RFC 1951 section 3.2.4): for a client that
// writes little, thousands of times, without the memory that compressing takes.
type storedConn struct{ net.Conn }

const maxStored = 1<<16 - 1

func (c storedConn) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		chunk := p[:min(len(p), maxStored)]
		block := make([]byte, 5, 5+len(chunk)) // not the last one, stored
		binary.LittleEndian.PutUint16(block[1:], uint16(len(chunk)))
		binary.LittleEndian.PutUint16(block[3:], ^uint16(len(chunk)))
		if _, err := c.Conn.Write(append(block, chunk...)); err != nil {
			return n, err
		}
		n += len(chunk)
		p = p[len(chunk):]
	}
	return n, nil
}
