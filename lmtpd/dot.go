package lmtpd

import (
	"bytes"
	"io"
)

// readDots reads a message sent by DATA: dots at the start of a line are removed, <CRLF>.<CRLF> ends it (RFC 5321 section
// 4.5.2). A line begins behind CRLF only: LF alone and CR alone are bytes like any other, or a message could smuggle another
// one past a server that reads them differently.
func (b *body) readDots(p []byte) (n int, err error) {
	in := b.c.in
	for n < len(p) {
		if b.lineStart {
			if n > 0 && in.Buffered() < 3 {
				return n, nil // rather than wait with bytes in hand
			}
			end, err := b.atDot()
			if err != nil {
				return n, err
			}
			b.lineStart = false
			if end {
				b.done = true
				return n, io.EOF
			}
		}
		if in.Buffered() == 0 {
			if n > 0 {
				return n, nil
			}
			if _, err := in.Peek(1); err != nil {
				return n, err
			}
		}
		there, _ := in.Peek(min(in.Buffered(), len(p)-n))
		if i := bytes.IndexByte(there, '\n'); i >= 0 {
			b.lineStart = i == 0 && b.cr || i > 0 && there[i-1] == '\r'
			there = there[:i+1]
		}
		b.cr = there[len(there)-1] == '\r'
		copy(p[n:], there)
		n += len(there)
		_, _ = in.Discard(len(there)) // they are buffered
	}
	return n, nil
}

// atDot looks at the start of a line. It takes a dot that was put there for transport, and reports the end of the message.
func (b *body) atDot() (end bool, err error) {
	in := b.c.in
	head, err := in.Peek(1)
	if err != nil || head[0] != '.' {
		return false, err
	}
	if head, err = in.Peek(2); err != nil {
		return false, err
	}
	if head[1] == '\r' {
		if head, err = in.Peek(3); err != nil {
			return false, err
		}
		if head[2] == '\n' {
			_, _ = in.Discard(3) // they are buffered
			return true, nil
		}
	}
	_, _ = in.Discard(1)
	b.cr = false
	return false, nil
}
