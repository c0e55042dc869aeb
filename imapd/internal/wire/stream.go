package wire

import (
	"errors"
	"io"
)

// Literal is a literal that the command reads itself. A synchronizing one is asked for when it is first read; a command that
// refuses it without reading anything has not asked for it, and the client does not send it.
type Literal struct {
	Size   int64
	Binary bool // "~{n}" (RFC 3516)

	r    *Reader
	left int64
	ask  bool // synchronizing and not asked for yet
	err  error
}

var _ io.Reader = (*Literal)(nil)

// Read reads the literal's bytes, and io.EOF at its end. A connection that ends before is io.ErrUnexpectedEOF, so that it is
// never taken for the whole literal.
func (l *Literal) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if l.ask {
		l.ask = false
		if l.err = l.r.ask(); l.err != nil {
			return 0, l.err
		}
	}
	if l.left == 0 {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	r := l.r
	if r.start == r.end {
		r.full = true // a literal is worth the large buffer
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			l.err = err
			return 0, err
		}
	}
	n := copy(p[:min(int64(len(p)), l.left)], r.buf[r.start:r.end])
	r.start += n
	l.left -= int64(n)
	return n, nil
}

// Literal returns the literal at which Next or More stopped, nil if it was at the command's end.
func (r *Reader) Literal() *Literal { return r.lit }

// More reads what follows a streamed literal, up to the command's end or the next streamed literal, of which it reads past
// what the command has left. Errors are those of Next.
func (r *Reader) More() ([]byte, error) {
	lit := r.lit
	if lit == nil || lit.ask {
		return nil, syntax("Missing literal")
	}
	r.lit = nil
	if err := r.skipLeft(lit); err != nil {
		return nil, err
	}
	r.cmd = r.cmd[:0]
	return r.read(r.opts.MaxCommand)
}

// Finish reads past what the command has left of a streamed literal, and the rest of its command. Next does it too; a session
// does it before it answers, so that a client which writes first and reads later is not kept waiting. The error is of the
// connection.
func (r *Reader) Finish() error {
	lit := r.lit
	r.lit = nil
	if lit == nil || lit.ask {
		return r.err
	}
	if err := r.skipLeft(lit); err != nil {
		return err
	}
	var past *SyntaxError
	if err := r.discard(nil, r.opts.MaxDiscard, &SyntaxError{}); !errors.As(err, &past) {
		return err
	}
	return nil
}

func (r *Reader) skipLeft(lit *Literal) error {
	left := lit.left
	lit.left = 0
	for left > 0 {
		k := min(left, r.opts.MaxDiscard)
		if err := r.skip(k); err != nil {
			return err
		}
		left -= k
	}
	return nil
}
