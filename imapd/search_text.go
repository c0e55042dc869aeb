package imapd

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// folder brings text into the form in which SEARCH compares it: without case, characters decomposed, much like the
// i;unicode-casemap collation of RFC 5051. So "STRASSE" finds "Straße", and the two ways to write "é" find each other.
type folder struct {
	fold  cases.Caser
	plain []byte // decomposed
}

func newFolder() *folder { return &folder{fold: cases.Fold()} }

// append appends the folded form of s, which is UTF-8, to dst.
func (f *folder) append(dst, s []byte) []byte {
	for len(s) > 0 {
		n := 0
		for n < len(s) && s[n] < utf8.RuneSelf {
			n++
		}
		start := len(dst)
		dst = append(dst, s[:n]...)
		for i := start; i < len(dst); i++ {
			dst[i] = lowerASCII(dst[i])
		}
		s = s[n:]
		for n = 0; n < len(s); n++ {
			// Words of other scripts have ASCII between them: a short run of it is no reason to change over.
			if s[n] < utf8.RuneSelf && (n+16 > len(s) || isASCII(s[n:n+16])) {
				break
			}
		}
		if n > 0 {
			dst = f.appendOther(dst, s[:n])
			s = s[n:]
		}
	}
	return dst
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (f *folder) appendOther(dst, s []byte) []byte {
	f.plain = norm.NFKD.Append(f.plain[:0], s...)
	rest := f.plain
	f.fold.Reset()
	for len(rest) > 0 {
		dst = append(dst, make([]byte, len(rest)+16)...)
		free := dst[len(dst)-len(rest)-16:]
		nDst, nSrc, err := f.fold.Transform(free, rest, true)
		dst = dst[:len(dst)-len(free)+nDst]
		rest = rest[nSrc:]
		if err != nil && !errors.Is(err, transform.ErrShortDst) { // cannot be: the whole source is there
			return append(dst, rest...)
		}
	}
	return dst
}

// foldString returns the folded form of a search string.
func (f *folder) foldString(s string) []byte { return f.append(nil, []byte(s)) }

// needle is a search string looked for in a text.
type needle struct {
	text  []byte // folded, not empty
	found bool
}

// matcher looks for needles in a text that comes in pieces. It holds one piece and the longest needle's length.
type matcher struct {
	folder  *folder
	needles []*needle
	longest int
	tail    []byte // of the raw text: an incomplete character
	window  []byte // folded text
}

func newMatcher(f *folder, needles []*needle) *matcher {
	m := &matcher{folder: f, needles: needles}
	for _, n := range needles {
		m.longest = max(m.longest, len(n.text))
	}
	return m
}

// matchPiece is how much text is folded at once, in bytes.
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
	m.window = m.folder.append(m.window, piece)
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
