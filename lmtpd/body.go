package lmtpd

import (
	"errors"
	"io"
	"time"
)

// body is a message on its way in: the bytes the client means, whichever command brings them.
type body struct {
	c         *conn
	chunk     *chunk // of BDAT; nil for DATA
	announced bool   // go-smtp has accepted the transaction
	done      bool   // read to its end
	err       error  // sticky
	n         int64  // bytes read

	lineStart bool // DATA: at the start of the message or behind CRLF
	cr        bool // DATA: the last byte was CR
}

func newBody(c *conn, ch *chunk) *body { return &body{c: c, chunk: ch, lineStart: true} }

// errAborted ends a chunked message that the client has given up.
var errAborted = errors.New("lmtpd: transaction aborted by the client")

// begin starts the clock of the whole message.
func (b *body) begin() {
	b.c.deadline = time.Now().Add(b.c.srv.cfg.MessageTimeout)
	b.c.setPhase(receiving)
}

// Read returns the message's next bytes, and io.EOF only at the end the client has given it.
func (b *body) Read(p []byte) (n int, err error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if b.chunk != nil {
		n, err = b.readChunks(p)
	} else {
		n, err = b.readDots(p)
	}
	b.n += int64(n)
	switch {
	case err == nil:
	case errors.Is(err, errAborted):
		b.err = err
	case errors.Is(err, io.EOF) && b.done:
		b.c.setPhase(delivering)
	default:
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the connection ended, not the message
		}
		b.err = b.c.lost(err)
		err = b.err
	}
	return n, err
}
