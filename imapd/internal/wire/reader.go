package wire

import (
	"bytes"
	"io"
	"sync"
)

const (
	idleBuffer  = 512       // what a connection that waits for its next command holds
	busyBuffer  = 16 << 10  // taken from a pool while more comes
	maxFlood    = 1 << 20   // bytes of one line that are read past
	literalTail = 32        // of a line read past: enough to see a literal's announcement at its end
	keepCommand = 4 << 10   // the command buffer's capacity that is kept between commands
	lineLimit   = 128 << 10 // of ReadLine
)

// ReaderOptions say what a Reader may read.
type ReaderOptions struct {
	// MaxCommand is the limit of one command in bytes, its literals included but for a streamed one. 0: 64 KiB.
	MaxCommand int
	// MaxDiscard is the size of the largest non-synchronizing literal that is read past when it is refused; the connection
	// ends (ErrFlood) where a larger one begins. 0: 64 MiB.
	MaxDiscard int64
	// MaxNonSync is the size of the largest literal that may be sent without asking (LITERAL-, RFC 7888 section 5); a larger one
	// is read past and refused. 0: any size.
	MaxNonSync int64
	// Continue asks the client for a synchronizing literal: it sends "+ " and flushes.
	Continue func() error
	// BeforeRead is called before each read from the connection, which may wait: what was written must be flushed now.
	BeforeRead func() error
	// Stream reports whether the literal that follows cmd, a command up to but not including a literal's announcement, is
	// left to the command to be read as a Literal. nil: no literal is.
	Stream func(cmd []byte) bool
}

// Reader takes commands off a connection. It is used by one goroutine at a time.
type Reader struct {
	src  io.Reader
	opts ReaderOptions

	buf        []byte // small[:] or *box
	start, end int    // unread bytes of buf
	box        *[]byte
	full       bool // the last read filled buf: more is waiting
	small      [idleBuffer]byte

	cmd []byte   // the present command
	lit *Literal // streamed and not finished
	err error    // of the connection, sticks
}

var busyBuffers = sync.Pool{New: func() any {
	b := make([]byte, busyBuffer)
	return &b
}}

// NewReader returns a Reader of src.
func NewReader(src io.Reader, opts ReaderOptions) *Reader {
	if opts.MaxCommand <= 0 {
		opts.MaxCommand = 64 << 10
	}
	if opts.MaxDiscard <= 0 {
		opts.MaxDiscard = 64 << 20
	}
	r := &Reader{src: src, opts: opts}
	r.buf = r.small[:]
	return r
}

// Buffered returns the bytes that were received and not read yet.
func (r *Reader) Buffered() int { return r.end - r.start }

// DropBuffered forgets bytes that were received and not read yet: after STARTTLS they came from nobody knows whom.
func (r *Reader) DropBuffered() { r.start, r.end = 0, 0 }

// TakeBuffered returns bytes that were received and not read yet, valid until the next call, and forgets them.
func (r *Reader) TakeBuffered() []byte {
	b := r.buf[r.start:r.end]
	r.DropBuffered()
	return b
}

// fill waits for bytes; there are none before.
func (r *Reader) fill() error {
	if r.err != nil {
		return r.err
	}
	r.start, r.end = 0, 0
	if r.full && r.box == nil {
		r.box = busyBuffers.Get().(*[]byte)
		r.buf = *r.box
	}
	if r.opts.BeforeRead != nil {
		if r.err = r.opts.BeforeRead(); r.err != nil {
			return r.err
		}
	}
	for range 100 {
		n, err := r.src.Read(r.buf)
		r.end, r.full = n, n == len(r.buf)
		if n > 0 {
			return nil // an error comes again
		}
		if err != nil {
			r.err = err
			return err
		}
	}
	r.err = io.ErrNoProgress
	return r.err
}

// release gives back what an idle connection should not hold.
func (r *Reader) release() {
	if r.start == r.end && r.box != nil {
		r.DropBuffered()
		busyBuffers.Put(r.box)
		r.box, r.full = nil, false
		r.buf = r.small[:]
	}
	if cap(r.cmd) > keepCommand {
		r.cmd = nil
	}
}

// Next reads the next command, as a whole or up to a literal that is streamed (see Literal). It returns the command without
// its last line end, but with those that follow the announcements of its literals; they are valid until Next is called again.
//
// A *SyntaxError means that the command was read past and must be refused; cmd is then its beginning, for the tag. After any
// other error the connection is unusable; ErrFlood says that the client is to be told.
func (r *Reader) Next() (cmd []byte, err error) {
	if err := r.Finish(); err != nil {
		return nil, err
	}
	r.release()
	r.cmd = r.cmd[:0]
	return r.read(r.opts.MaxCommand)
}

// read appends to r.cmd up to the command's end or a streamed literal, at most limit bytes.
func (r *Reader) read(limit int) ([]byte, error) {
	scan := lineScan{}
	for {
		from := len(r.cmd)
		whole, err := r.line(limit)
		if err != nil {
			return r.cmd, err
		}
		if !whole {
			tail := r.cmd[from:]
			return r.cmd, r.discard(tail, r.opts.MaxDiscard, &SyntaxError{Text: "Command too long"})
		}
		line := r.cmd[from:]
		scan.add(line)
		h, ok := literalHeader(line)
		if !ok {
			if scan.nul {
				return r.cmd, syntax("NUL in a command")
			}
			return r.cmd, nil
		}
		refuse := func(text, code string) ([]byte, error) {
			return r.cmd, r.refuse(h, &SyntaxError{Text: text, Code: code})
		}
		switch {
		case scan.quoted:
			return refuse("Missing closing quote", "")
		case scan.nul:
			return refuse("NUL in a command", "")
		case h.nonSync && r.opts.MaxNonSync > 0 && h.size > r.opts.MaxNonSync:
			return refuse("Ask before sending that much", "TOOBIG")
		case h.size > math32 && !h.nonSync:
			return refuse("Invalid literal size", "")
		}
		head := from + h.start
		if r.opts.Stream != nil && r.opts.Stream(r.cmd[:head]) {
			if h.nonSync && h.size > r.opts.MaxDiscard {
				return r.cmd, r.fail(ErrFlood)
			}
			r.cmd = append(r.cmd, '\r', '\n')
			r.lit = &Literal{Size: h.size, Binary: h.binary, r: r, left: h.size, ask: !h.nonSync}
			return r.cmd, nil
		}
		if h.size > int64(limit-len(r.cmd)-2) {
			return refuse("Literal too large", "TOOBIG")
		}
		r.cmd = append(r.cmd, '\r', '\n')
		if !h.nonSync {
			if err := r.ask(); err != nil {
				return r.cmd, err
			}
		}
		if err := r.bytes(int(h.size)); err != nil {
			return r.cmd, err
		}
	}
}

const math32 = 1<<32 - 1

// lineScan follows quoted strings and NUL over the lines of a command.
type lineScan struct{ quoted, nul bool }

func (s *lineScan) add(line []byte) {
	s.nul = s.nul || bytes.IndexByte(line, 0) >= 0
	if !s.quoted && bytes.IndexByte(line, '"') < 0 {
		return
	}
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			s.quoted = !s.quoted
		case line[i] == '\\' && s.quoted:
			i++
		}
	}
}

func (r *Reader) ask() error {
	if r.opts.Continue == nil {
		return nil
	}
	if err := r.opts.Continue(); err != nil {
		return r.fail(err)
	}
	return nil
}

func (r *Reader) fail(err error) error {
	if r.err == nil {
		r.err = err
	}
	return err
}

// line appends a line without its end (LF, or CRLF) to r.cmd. whole is false when it would pass the limit: the rest of the
// line has not been read then.
func (r *Reader) line(limit int) (whole bool, err error) {
	from := len(r.cmd) // a CR before is a literal's
	for {
		if r.start == r.end {
			if err := r.fill(); err != nil {
				return false, err
			}
		}
		b := r.buf[r.start:r.end]
		i := bytes.IndexByte(b, '\n')
		take := i
		if i < 0 {
			take = len(b)
		}
		if room := limit + 1 - len(r.cmd); take > room { // one more for the CR
			room = max(room, 0)
			r.cmd = append(r.cmd, b[:room]...)
			r.start += room
			return false, nil
		}
		r.cmd = append(r.cmd, b[:take]...)
		if i < 0 {
			r.start += take
			continue
		}
		r.start += take + 1
		if n := len(r.cmd); n > from && r.cmd[n-1] == '\r' {
			r.cmd = r.cmd[:n-1]
		}
		return true, nil
	}
}

// bytes appends n bytes to r.cmd.
func (r *Reader) bytes(n int) error {
	for n > 0 {
		if r.start == r.end {
			if err := r.fill(); err != nil {
				return err
			}
		}
		k := min(n, r.end-r.start)
		r.cmd = append(r.cmd, r.buf[r.start:r.start+k]...)
		r.start += k
		n -= k
	}
	return nil
}

// refuse ends a command at a literal that is not wanted: a synchronizing one is not asked for, and so the client sends
// nothing more of the command; another one, and what follows it, is read past. It returns why, or what became of the
// connection.
func (r *Reader) refuse(h header, why *SyntaxError) error {
	if !h.nonSync {
		return why
	}
	if err := r.skip(h.size); err != nil {
		return err
	}
	return r.discard(nil, r.opts.MaxDiscard-h.size, why)
}

// discard reads past the rest of a command, of a line that began with tail and of all literals that follow, but not past
// more than budget bytes.
func (r *Reader) discard(tail []byte, budget int64, why *SyntaxError) error {
	tail = append([]byte(nil), tail[max(0, len(tail)-literalTail):]...)
	for length := 0; ; {
		if r.start == r.end {
			if err := r.fill(); err != nil {
				return err
			}
		}
		b := r.buf[r.start:r.end]
		i := bytes.IndexByte(b, '\n')
		if i >= 0 {
			b = b[:i]
		}
		r.start += len(b)
		length += len(b)
		budget -= int64(len(b))
		tail = append(tail, b[max(0, len(b)-literalTail):]...)
		tail = tail[max(0, len(tail)-literalTail):]
		if length > maxFlood || budget < 0 {
			return r.fail(ErrFlood)
		}
		if i < 0 {
			continue
		}
		r.start++
		h, ok := literalHeader(bytes.TrimSuffix(tail, []byte{'\r'}))
		if !ok || !h.nonSync {
			return why
		}
		if h.size > budget {
			return r.fail(ErrFlood)
		}
		if err := r.skip(h.size); err != nil {
			return err
		}
		budget -= h.size
		tail, length = tail[:0], 0
	}
}

// skip reads past n bytes of a literal.
func (r *Reader) skip(n int64) error {
	if n > r.opts.MaxDiscard {
		return r.fail(ErrFlood)
	}
	for n > 0 {
		if r.start == r.end {
			if err := r.fill(); err != nil {
				return err
			}
		}
		k := min(n, int64(r.end-r.start))
		r.start += int(k)
		n -= k
	}
	return nil
}

// ReadLine reads one line that is no command, such as a SASL response or "DONE": without its end, valid until the next call.
// It fails with ErrFlood beyond 128 KiB, and otherwise as the connection does.
func (r *Reader) ReadLine() ([]byte, error) {
	r.release()
	r.cmd = r.cmd[:0]
	whole, err := r.line(lineLimit)
	if err != nil {
		return nil, err
	}
	if !whole {
		return nil, r.fail(ErrFlood)
	}
	return r.cmd, nil
}
