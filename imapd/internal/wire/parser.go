package wire

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep parentheses may be nested.
const MaxDepth = 64

// Parser walks over the bytes of one command, literals included. Methods that fail return a *SyntaxError, fit for a BAD
// response; what they have read up to then is unspecified.
type Parser struct {
	b     []byte
	pos   int
	depth int
	utf8  bool
}

// NewParser returns a Parser of a command's bytes as Reader gives them, without the last line end. It keeps b; the strings
// it returns are copies.
func NewParser(b []byte) *Parser { return &Parser{b: b} }

// UTF8 switches the rules of RFC 6855 and RFC 9051 on: 8-bit characters in quoted strings must be UTF-8, and mailbox names are
// UTF-8 and nothing else.
func (p *Parser) UTF8(on bool) { p.utf8 = on }

// EOF reports whether all was read.
func (p *Parser) EOF() bool { return p.pos >= len(p.b) }

// End fails unless all was read.
func (p *Parser) End() error {
	if !p.EOF() {
		return syntax("Too many arguments")
	}
	return nil
}

// Rest returns the bytes not read yet, without reading them.
func (p *Parser) Rest() []byte { return p.b[p.pos:] }

// SP reads one space (or several: real clients send them) or fails.
func (p *Parser) SP() error {
	start := p.pos
	for p.pos < len(p.b) && p.b[p.pos] == ' ' {
		p.pos++
	}
	if p.pos == start {
		if p.EOF() {
			return syntax("Missing argument")
		}
		return syntax("Expected a space")
	}
	return nil
}

// Try reads c if it is next, and reports whether it was.
func (p *Parser) Try(c byte) bool {
	if p.pos < len(p.b) && p.b[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// Expect reads c or fails.
func (p *Parser) Expect(c byte) error {
	if p.Try(c) {
		return nil
	}
	return syntax("Expected " + string(rune(c)))
}

// Peek returns the next byte, 0 at the end.
func (p *Parser) Peek() byte {
	if p.EOF() {
		return 0
	}
	return p.b[p.pos]
}

// take reads bytes of a class; it may return none. The result is part of the command.
func (p *Parser) take(class uint8) []byte {
	start := p.pos
	for p.pos < len(p.b) && classes[p.b[p.pos]]&class != 0 {
		p.pos++
	}
	return p.b[start:p.pos]
}

// Atom reads an atom, in upper case.
func (p *Parser) Atom() (string, error) {
	a := p.take(classAtom)
	if len(a) == 0 {
		return "", syntax("Expected an atom")
	}
	return upperString(a), nil
}

// Keyword reads a word of the grammar (the name of a command, FETCH item or search key), in upper case. Unlike Atom it ends
// before "[", as in BODY[TEXT].
func (p *Parser) Keyword() (string, error) {
	a := p.take(classKeyword)
	if len(a) == 0 {
		return "", syntax("Expected a keyword")
	}
	return upperString(a), nil
}

// Tag reads a command's tag, as written.
func (p *Parser) Tag() (string, error) {
	t := p.take(classTag)
	if len(t) == 0 {
		return "", syntax("Expected a tag")
	}
	return string(t), nil
}

// TryKeyword reads a keyword if it is kw (upper case; compared without case) and reports whether it was.
func (p *Parser) TryKeyword(kw string) bool {
	end := p.pos + len(kw)
	if end > len(p.b) || end < len(p.b) && classes[p.b[end]]&classKeyword != 0 {
		return false
	}
	for i := range len(kw) {
		if upper(p.b[p.pos+i]) != kw[i] {
			return false
		}
	}
	p.pos = end
	return true
}

func upperString(b []byte) string {
	for _, c := range b {
		if 'a' <= c && c <= 'z' {
			return string(bytes.ToUpper(b))
		}
	}
	return string(b)
}

// AString reads an astring: an atom, in which "]" may stand too, or a string.
func (p *Parser) AString() (string, error) {
	if p.Peek() == '~' && p.pos+1 < len(p.b) && p.b[p.pos+1] == '{' { // "~" alone may begin an atom
		return "", syntax("Literal8 not allowed here")
	}
	if a := p.take(classAString); len(a) > 0 {
		return string(a), nil
	}
	return p.String()
}

// String reads a quoted string or a literal. 8-bit bytes in quoted strings are taken as they are; NUL, CR and LF there, and
// NUL in a literal, are refused.
func (p *Parser) String() (string, error) {
	switch p.Peek() {
	case '"':
		return p.quoted()
	case '{':
		b, err := p.literal()
		if err == nil && bytes.IndexByte(b, 0) >= 0 {
			return "", syntax("NUL in a string")
		}
		return string(b), err
	}
	return "", syntax("Expected a string")
}

func (p *Parser) quoted() (string, error) {
	rest := p.b[p.pos+1:]
	end, escaped := 0, false
	for ; ; end++ {
		if end >= len(rest) {
			return "", syntax("Missing closing quote")
		}
		switch c := rest[end]; c {
		case 0, '\r', '\n':
			return "", syntax("Invalid character in quoted string")
		case '\\':
			escaped = true
			end++
			if end >= len(rest) || rest[end] != '"' && rest[end] != '\\' {
				return "", syntax("Invalid escape in quoted string")
			}
			continue
		case '"':
		default:
			continue
		}
		break
	}
	p.pos += end + 2
	if p.utf8 && !utf8.Valid(rest[:end]) {
		return "", syntax("Invalid UTF-8 in quoted string")
	}
	if !escaped {
		return string(rest[:end]), nil
	}
	var s strings.Builder
	s.Grow(end)
	for i := 0; i < end; i++ {
		if rest[i] == '\\' {
			i++
		}
		s.WriteByte(rest[i])
	}
	return s.String(), nil
}

// literal reads an announcement, its line end and the literal's bytes.
func (p *Parser) literal() ([]byte, error) {
	size, _, err := p.LiteralHeader()
	if err != nil {
		return nil, err
	}
	if size > int64(len(p.b)-p.pos) {
		return nil, syntax("Literal not allowed here")
	}
	b := p.b[p.pos : p.pos+int(size)]
	p.pos += int(size)
	return b, nil
}

// LiteralHeader reads a literal's announcement and its line end, and leaves the literal's bytes to be read; of a literal that
// Reader streams, there are none here.
func (p *Parser) LiteralHeader() (size int64, binary bool, err error) {
	i := bytes.IndexByte(p.b[p.pos:], '\n')
	if i < 0 {
		return 0, false, syntax("Invalid literal")
	}
	line := p.b[p.pos : p.pos+i]
	h, ok := literalHeader(bytes.TrimSuffix(line, []byte{'\r'}))
	if !ok || h.start != 0 {
		return 0, false, syntax("Invalid literal")
	}
	p.pos += i + 1
	return h.size, h.binary, nil
}

// Literal8 reads a literal8 (RFC 3516), whose bytes may be anything; they are part of the command.
func (p *Parser) Literal8() ([]byte, error) {
	if p.Peek() != '~' {
		return nil, syntax("Expected a literal8")
	}
	return p.literal()
}

// NString reads a string or NIL (ok false).
func (p *Parser) NString() (s string, ok bool, err error) {
	if p.TryKeyword("NIL") {
		return "", false, nil
	}
	s, err = p.String()
	return s, err == nil, err
}

// Number reads a number of at most 32 bits.
func (p *Parser) Number() (uint32, error) {
	n, err := p.number(math.MaxUint32)
	return uint32(n), err
}

// Number64 reads a number of at most 63 bits.
func (p *Parser) Number64() (uint64, error) { return p.number(math.MaxInt64) }

func (p *Parser) number(limit uint64) (n uint64, err error) {
	start := p.pos
	for ; p.pos < len(p.b); p.pos++ {
		d := p.b[p.pos] - '0'
		if d > 9 {
			break
		}
		if n > (limit-uint64(d))/10 {
			return 0, syntax("Number too large")
		}
		n = n*10 + uint64(d)
	}
	if p.pos == start {
		return 0, syntax("Expected a number")
	}
	return n, nil
}

// Nest is called where an opening parenthesis of a recursive rule was read; it fails beyond MaxDepth. Unnest is called where
// the closing one was.
func (p *Parser) Nest() error {
	if p.depth++; p.depth > MaxDepth {
		return syntax("Nested too deep")
	}
	return nil
}

// Unnest ends what Nest began.
func (p *Parser) Unnest() { p.depth-- }

// List reads "(" item *(SP item) ")", calling item at each; an empty list is allowed.
func (p *Parser) List(item func() error) error {
	if err := p.Expect('('); err != nil {
		return err
	}
	if err := p.Nest(); err != nil {
		return err
	}
	defer p.Unnest()
	for first := true; !p.Try(')'); first = false {
		if !first {
			if err := p.SP(); err != nil {
				return err
			}
			if p.Try(')') { // a space before the end: real clients send it
				return nil
			}
		}
		if err := item(); err != nil {
			return err
		}
	}
	return nil
}
