package pop3d

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// retr is RETR (RFC 1939 section 5).
func retr(ctx context.Context, s *session, args string) error {
	n, m, err := s.drop.message(strings.TrimSpace(args))
	if err != nil {
		return err
	}
	b, err := s.find(ctx, n-1)
	if err != nil {
		return err
	}
	if err := s.send(ctx, b, whole{}, "%d octets", m.Size); err != nil {
		return err
	}
	s.srv.metrics.retrieved.Inc()
	return nil
}

// find returns a reader of the message at an index, in bounded time.
func (s *session) find(ctx context.Context, i int) (bodyReader, error) {
	ctx, cancel := context.WithTimeout(ctx, s.srv.cfg.StoreTimeout)
	defer cancel()
	b, raw, err := s.drop.body(ctx, i)
	switch {
	case err != nil:
		return nil, err
	case raw == nil || int64(len(raw)) != b.Stored:
		return s.drop.sel.OpenBody(b), nil
	}
	return readBody{b.Prefix, raw}, nil
}

// extent says how much of a message is sent.
type extent interface {
	// next returns how many of the message's next bytes belong to it, and whether that is all there is.
	next(p []byte) (n int, end bool)
}

type whole struct{}

func (whole) next(p []byte) (int, bool) { return len(p), false }

var pieces = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// send answers with (a part of) a message, after a text. The first piece is read before +OK is said; trouble behind it can only be shown by
// ending the connection.
func (s *session) send(ctx context.Context, r bodyReader, e extent, text string, args ...any) error {
	piece := pieces.Get().(*[32 << 10]byte)
	defer pieces.Put(piece)
	w := dotWriter{w: s.Out, lineStart: true}
	for off := int64(0); ; {
		n, err := s.readAt(ctx, r, piece[:], off)
		if err != nil {
			if off == 0 {
				return err
			}
			s.logTrouble("RETR", err)
			s.hangUp()
			return nil
		}
		if off == 0 {
			s.ok(text, args...)
		}
		off += int64(n)
		n, end := e.next(piece[:n])
		w.write(piece[:n])
		if w.err != nil {
			s.hangUp()
			return nil
		}
		if end || off >= r.Size() {
			w.end()
			return nil
		}
	}
}

// bodyReader is a *mailstore.BodyReader or a readBody.
type bodyReader interface {
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	Size() int64
}

// readBody is a body that was read ahead.
type readBody struct{ prefix, stored []byte }

// Size implements bodyReader.
func (r readBody) Size() int64 { return int64(len(r.prefix) + len(r.stored)) }

// ReadAt implements bodyReader.
func (r readBody) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(r.prefix)) {
		n = copy(p, r.prefix[off:])
	}
	return n + copy(p[n:], r.stored[off+int64(n)-int64(len(r.prefix)):]), nil
}

// readAt fills p, or reads to the message's end. No bytes before the end are an error.
func (s *session) readAt(ctx context.Context, r bodyReader, p []byte, off int64) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.srv.cfg.StoreTimeout)
	defer cancel()
	p = p[:min(int64(len(p)), r.Size()-off)]
	n, err := r.ReadAt(ctx, p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
