package imapd

import (
	"bytes"
	"unicode/utf8"
)

// needle is a search string looked for in a text.
type needle struct {
	text  []byte // by casemap, not empty
	found bool
}

// matcher looks for needles in a text that comes in pieces. It holds one piece and the longest needle's length.
type matcher struct {
	needles []*needle
	longest int
	tail    []byte // of the raw text: an incomplete character
	window  []byte // text by casemap
}

func newMatcher(needles []*needle) *matcher {
	m := &matcher{needles: needles}
	for _, n := range needles {
		m.longest = max(m.longest, len(n.text))
	}
	return m
}

// matchPiece is how much text is mapped at once, in bytes.
const matchPiece = 8 << 10

// Write takes the next piece; it always takes all of it and never fails.
func (m *matcher) Write(p []byte) (int, error) {
	size := len(p)
	if len(m.tail) > 0 {
		p = append(m.tail, p...)
		m.tail = nil
	}
	for len(p) > matchPiece {
		n := matchPiece - incompleteRune(p[:matchPiece])
		m.match(p[:n])
		p = p[n:]
	}
	n := len(p) - incompleteRune(p)
	m.match(p[:n])
	m.tail = append(m.tail, p[n:]...)
	return size, nil
}

// incompleteRune returns the length of the incomplete character at the end of s.
func incompleteRune(s []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; utf8.RuneStart(c) {
			if utf8.FullRune(s[len(s)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}

func (m *matcher) match(piece []byte) {
	m.window = appendCasemap(m.window, piece)
	for _, n := range m.needles {
		n.found = n.found || bytes.Contains(m.window, n.text)
	}
	if keep := m.longest - 1; len(m.window) > keep {
		m.window = append(m.window[:0], m.window[len(m.window)-keep:]...)
	}
}

// reset begins another text: nothing is found across the border.
func (m *matcher) reset() { m.tail, m.window = m.tail[:0], m.window[:0] }

// done reports whether all was found.
func (m *matcher) done() bool {
	for _, n := range m.needles {
		if !n.found {
			return false
		}
	}
	return true
}
