package message

import "bytes"

// Scanner reads a message in pieces. The zero value is not usable.
//
// It looks at every byte once. A header is taken line by line; of a body only the lines that begin with "--" are looked
// at, and only while a multipart is open. It holds at most one unfinished line and the fields being collected (limits.go).
type Scanner struct {
	base int64 // offset of the first byte of the piece being written
	last byte  // last byte of the piece before
	lf   int64 // LFs before the current line

	inHeader bool
	inLine   bool // in a body line that cannot be a delimiter
	eol      int  // length of the line end before the current line: 0 at the beginning, 1 for LF, 2 for CRLF

	held     []byte // first bytes of the current line when it began in an earlier piece
	heldSize int64  // bytes of the current line so far, those not held included

	header collector
	tree   tree
}

// line is a line of the message, its end included; bytes may be cut to a limit, the offsets never are.
type line struct {
	bytes      []byte
	start, end int64
	lf         int64 // LFs before start
	ended      int64 // LFs in the line: 1, or 0 for the last line of a message that does not end with one
}

// NewScanner returns a Scanner at the beginning of a message.
func NewScanner() *Scanner {
	s := &Scanner{inHeader: true}
	s.tree.open(0, 0)
	s.header.reset(useKept)
	return s
}

// Write takes the next bytes; it always takes all of them and never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for i := 0; i < len(p); {
		switch {
		case s.inHeader:
			i = s.takeHeader(p, i)
		case s.tree.delimited():
			i = s.takeBody(p, i)
		default: // nothing ends this part but the end of the message
			s.lf += int64(bytes.Count(p[i:], lineFeed))
			i = len(p)
		}
	}
	s.base += int64(len(p))
	s.last = p[len(p)-1]
	return len(p), nil
}

// Close ends the message and returns what was found. The Scanner must not be used afterwards.
func (s *Scanner) Close() *Structure {
	if s.heldSize > 0 {
		l := line{bytes: s.held, start: s.base - s.heldSize, end: s.base, lf: s.lf}
		if s.inHeader {
			s.headerLine(l)
		} else {
			s.bodyLine(l)
		}
	}
	for s.inHeader {
		s.endHeader(s.base, s.lf)
	}
	s.tree.closeTo(0, s.base, s.lf)
	return s.tree.structure(s.base)
}

// Scan is NewScanner, Write, Close.
func Scan(raw []byte) *Structure {
	s := NewScanner()
	_, _ = s.Write(raw)
	return s.Close()
}

var (
	lineFeed     = []byte{'\n'}
	lineDashDash = []byte("\n--")
)

// hold keeps the beginning of an unfinished line, limit bytes of it at most.
func (s *Scanner) hold(p []byte, limit int) {
	s.heldSize += int64(len(p))
	if room := limit - len(s.held); room > 0 {
		s.held = append(s.held, p[:min(room, len(p))]...)
	}
}

// wholeLine returns the line that ends with the LF p[lf] and began at p[i] or in earlier pieces, cut to limit bytes.
func (s *Scanner) wholeLine(p []byte, i, lf, limit int) line {
	l := line{
		bytes: p[i : lf+1],
		start: s.base + int64(i) - s.heldSize,
		end:   s.base + int64(lf) + 1,
		lf:    s.lf,
		ended: 1,
	}
	if s.heldSize > 0 {
		s.hold(l.bytes, limit)
		l.bytes = s.held
		s.held, s.heldSize = s.held[:0], 0
	}
	l.bytes = l.bytes[:min(len(l.bytes), limit)]
	return l
}

// newLine notes that the LF p[lf] ended a line.
func (s *Scanner) newLine(p []byte, lf int) {
	before := s.last
	if lf > 0 {
		before = p[lf-1]
	}
	s.eol = 1
	if before == '\r' {
		s.eol = 2
	}
}

// takeHeader takes one header line, or what there is of it, and returns the index behind it.
func (s *Scanner) takeHeader(p []byte, i int) int {
	n := bytes.IndexByte(p[i:], '\n')
	if n < 0 {
		s.hold(p[i:], maxLine)
		return len(p)
	}
	s.headerLine(s.wholeLine(p, i, i+n, maxLine))
	s.lf++
	s.newLine(p, i+n)
	return i + n + 1
}

func (s *Scanner) headerLine(l line) {
	if d, ok := s.tree.match(l.bytes); ok {
		s.delimiter(d, l)
		return
	}
	switch b := l.bytes; {
	case b[0] == '\n' || b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		s.endHeader(l.end, l.lf+l.ended)
	case b[0] == ' ' || b[0] == '\t':
		s.header.fold(b)
	default:
		name := fieldNameLen(b)
		if name == 0 && s.header.lines == 0 && s.tree.depth() > 0 && !isFromLine(b) {
			// The body of this part follows its boundary with neither header nor blank line.
			s.endHeader(l.start, l.lf)
			if s.inHeader {
				s.headerLine(l)
			}
			return
		}
		s.header.begin(b, name)
	}
}

// isFromLine reports whether a line is the separator of a mailbox in mbox format, quoted or not.
func isFromLine(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(b, []byte(">")), []byte("From "))
}

// endHeader ends the header of the innermost part at the offset end with lf LFs before it. When the part is an embedded
// message, that message's header begins there.
func (s *Scanner) endHeader(end, lf int64) {
	next := s.tree.endHeader(&s.header, end, lf)
	s.inHeader = next != 0
	s.header.reset(next)
	s.inLine = false
}

// takeBody takes a body up to the end of a line that begins with "--" and returns the index behind what it took.
func (s *Scanner) takeBody(p []byte, i int) int {
	if s.inLine {
		return s.skipLines(p, i)
	}
	for j := i; j < min(i+2-int(s.heldSize), len(p)); j++ {
		if p[j] != '-' {
			s.held, s.heldSize, s.inLine = s.held[:0], 0, true
			return i
		}
	}
	n := bytes.IndexByte(p[i:], '\n')
	if n < 0 {
		s.hold(p[i:], maxDelimiter+1)
		return len(p)
	}
	s.bodyLine(s.wholeLine(p, i, i+n, maxDelimiter+1))
	s.lf++
	s.newLine(p, i+n)
	return i + n + 1
}

// skipLines goes to the next line that begins with "--" or may do so.
func (s *Scanner) skipLines(p []byte, i int) int {
	n := bytes.Index(p[i:], lineDashDash)
	if n >= 0 {
		s.lf += int64(bytes.Count(p[i:i+n+1], lineFeed))
		s.newLine(p, i+n)
		s.inLine = false
		return i + n + 1
	}
	s.lf += int64(bytes.Count(p[i:], lineFeed))
	end := len(p)
	if p[end-1] == '-' && end-1 > i {
		end--
	}
	if p[end-1] == '\n' {
		s.newLine(p, end-1)
		s.inLine = false
		s.hold(p[end:], maxDelimiter+1)
	}
	return len(p)
}

func (s *Scanner) bodyLine(l line) {
	if d, ok := s.tree.match(l.bytes); ok {
		s.delimiter(d, l)
	}
}

// delimiter takes the line of a delimiter of an open multipart. The line end before it belongs to it (RFC 2046 section
// 5.1.1), unless a header or another delimiter needs that line end.
func (s *Scanner) delimiter(d delimiter, l line) {
	at := place{end: l.start - int64(s.eol), lf: l.lf - 1, start: l.start, lfStart: l.lf}
	for s.inHeader {
		p := s.tree.innermost()
		at.notBefore(p.HeaderOffset)
		s.endHeader(at.end, at.lf)
	}
	s.tree.closeAt(d, at)
	if !d.closing {
		s.tree.open(l.end, l.lf+l.ended)
		s.inHeader = true
		s.header.reset(useMIME)
	}
	s.inLine = false
}
