package sieve

import (
	"bytes"
	"errors"
	"io"
	"sort"
)

// Message is a message in one state of its editing: an immutable list of ranges of the message that arrived and of bytes put
// between them. It may be read in several goroutines if the Input's Message may.
type Message struct {
	segments []segment
	starts   []int64 // of segments, in the message
	size     int64
	edited   bool
}

// segment is a range of a source.
type segment struct {
	src    io.ReaderAt
	offset int64
	length int64
}

// originalMessage returns the message as it arrived.
func originalMessage(src io.ReaderAt, size int64) *Message {
	return newMessage([]segment{{src, 0, size}}, false)
}

func newMessage(segments []segment, edited bool) *Message {
	m := &Message{edited: edited}
	for _, s := range segments {
		if s.length <= 0 {
			continue
		}
		if n := len(m.segments); n > 0 {
			last := &m.segments[n-1]
			if last.src == s.src && last.offset+last.length == s.offset {
				last.length += s.length
				m.size += s.length
				continue
			}
		}
		m.segments = append(m.segments, s)
		m.starts = append(m.starts, m.size)
		m.size += s.length
	}
	return m
}

// literal returns a segment of bytes of our own.
func literal(b []byte) segment { return segment{bytes.NewReader(b), 0, int64(len(b))} }

// Size returns the bytes of the message.
func (m *Message) Size() int64 { return m.size }

// Edited reports whether the message differs from the one that arrived.
func (m *Message) Edited() bool { return m.edited }

// Reader returns a reader of the whole message. It is an io.ReaderAt and io.Seeker too.
func (m *Message) Reader() *io.SectionReader { return io.NewSectionReader(m, 0, m.size) }

// ReadAt reads from any place of the message, as io.ReaderAt says.
func (m *Message) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("sieve: read before the beginning of a message")
	}
	n := 0
	i := sort.Search(len(m.starts), func(i int) bool { return m.starts[i] > off }) - 1
	for n < len(p) && i >= 0 && i < len(m.segments) {
		s := m.segments[i]
		skip := off - m.starts[i]
		if skip >= s.length {
			break
		}
		want := min(int64(len(p)-n), s.length-skip)
		got, err := s.src.ReadAt(p[n:n+int(want)], s.offset+skip)
		n += got
		off += int64(got)
		if int64(got) < want {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the source is shorter than its Size
			}
			return n, err
		}
		i++
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// slice returns the segments of a range of the message.
func (m *Message) slice(from, to int64) []segment {
	var out []segment
	for i, s := range m.segments {
		lo, hi := max(from, m.starts[i]), min(to, m.starts[i]+s.length)
		if lo < hi {
			out = append(out, segment{s.src, s.offset + lo - m.starts[i], hi - lo})
		}
	}
	return out
}
