package imapd

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
)

// appendReader is the bytes of one message of an APPEND: of its literal, or of all parts of CATENATE.
type appendReader struct {
	*appending
	part  io.Reader // being read; nil: go on to the next
	total int64     // bytes of the parts so far
	limit int64
	err   error // sticks
}

// Read implements io.Reader.
func (r *appendReader) Read(p []byte) (int, error) {
	for r.err == nil {
		if r.part == nil {
			r.err = r.advance()
			continue
		}
		n, err := r.part.Read(p)
		if errors.Is(err, io.EOF) {
			r.part, err = nil, nil
		}
		r.err = err
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, r.err
}

// advance goes on to the message's next part; io.EOF when there is none.
func (r *appendReader) advance() error {
	ev, err := r.next()
	if err != nil {
		return err
	}
	switch ev.kind {
	case appendLiteral:
		return r.literal(ev.utf8)
	case appendURL:
		return r.url(ev.url)
	default:
		return io.EOF
	}
}

// literal begins a part that is a literal.
func (r *appendReader) literal(utf8 bool) error {
	if _, _, err := r.p.LiteralHeader(); err != nil {
		return bad("Expected a literal")
	}
	if err := r.p.End(); err != nil {
		return err
	}
	lit := r.s.r.Literal()
	switch {
	case lit == nil:
		return bad("Expected a literal")
	case utf8 && !lit.Binary:
		return bad("UTF8 needs a literal8")
	case utf8 && !r.s.utf8:
		return no("CANNOT", "UTF8 needs ENABLE UTF8=ACCEPT")
	case lit.Size == 0 && r.syntax.state == appendWhole:
		return errEmptyMessage
	}
	if err := r.grow(lit.Size); err != nil {
		return err
	}
	r.used = true
	r.part = lit
	if lit.Binary {
		r.part = message.EncodeBinary(lit)
	}
	return nil
}

// url begins a part that another message has.
func (r *appendReader) url(url string) error {
	c, err := r.s.catenated(r.ctx, url)
	if err != nil {
		return err
	}
	if err := r.grow(c.size); err != nil {
		return err
	}
	r.part = bufio.NewReaderSize(c.reader(r.ctx), int(min(max(c.size, 512), 64<<10)))
	return nil
}

// grow counts a part's bytes before they are asked for.
func (r *appendReader) grow(size int64) error {
	if size > r.limit-r.total {
		return r.tooBig()
	}
	r.total += size
	if size < appendAsk {
		return nil
	}
	return r.room(r.size + r.total)
}

func (r *appendReader) tooBig() error {
	return no("TOOBIG", fmt.Sprintf("A message may have %d bytes", r.limit))
}

// errEmptyMessage answers for a message without a byte, which cancels the whole command (RFC 3502 section 6.3.11).
var errEmptyMessage = no("CANNOT", "A message cannot be empty")

// staged stages the message.
func (r *appendReader) read() (*appendItem, error) {
	// What is wrong with the first part is found out before anything is staged.
	if r.err = r.advance(); r.err != nil && !errors.Is(r.err, io.EOF) {
		return nil, r.err
	}
	st, err := r.s.srv.cfg.Store.Stage(r.ctx, r, r.limit)
	switch {
	case mailerr.Is(err, mailerr.TooBig):
		return nil, r.tooBig() // encoded, a literal8 is longer than it was announced
	case errors.Is(err, message.ErrNUL):
		return nil, errUnknownCTE
	case err != nil:
		return nil, err
	case st.Size() == 0:
		st.Discard()
		return nil, errEmptyMessage
	}
	r.size += st.Size()
	return &appendItem{staged: st}, nil
}
