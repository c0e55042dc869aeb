package sieve

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// tokenKind is what a token of RFC 5228 section 8.1 is.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenIdentifier
	tokenTag    // text is without its colon
	tokenNumber // number has the quantifier applied
	tokenString // quoted or multi-line; text without escapes and dot-stuffing, line ends as CRLF
	tokenMark   // one of [ ] { } ( ) , ;
)

type token struct {
	kind   tokenKind
	pos    Pos
	text   string
	number int64
}

// String returns the token as a person would name it.
func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the script"
	case tokenIdentifier:
		return fmt.Sprintf("%q", t.text)
	case tokenTag:
		return fmt.Sprintf("%q", ":"+t.text)
	case tokenNumber:
		return "a number"
	case tokenString:
		return "a string"
	default:
		return fmt.Sprintf("%q", t.text)
	}
}

// lexer cuts a script into tokens.
type lexer struct {
	src       string
	i         int
	line      int
	lineStart int // offset of the line's first byte
	maxString int

	counted int // up to here column counts the characters of the line
	column  int
}

// syntaxError ends the parsing of a script.
type syntaxError struct{ Problem }

func (e *syntaxError) Error() string { return e.String() }

func syntaxf(pos Pos, format string, args ...any) error {
	return &syntaxError{Problem{pos, fmt.Sprintf(format, args...)}}
}

// pos returns where the lexer stands. It counts on from where it was asked last, so that long lines cost no more.
func (l *lexer) pos() Pos {
	if l.counted < l.lineStart {
		l.counted, l.column = l.lineStart, 0
	}
	l.column += utf8.RuneCountInString(l.src[l.counted:l.i])
	l.counted = l.i
	return Pos{l.line, l.column + 1}
}

// newline notes that a line begins at offset i.
func (l *lexer) newline(i int) {
	l.line++
	l.lineStart = i
}

// skip goes over white space and comments (RFC 5228 section 2.3).
func (l *lexer) skip() error {
	for l.i < len(l.src) {
		switch c := l.src[l.i]; {
		case c == '\n':
			l.i++
			l.newline(l.i)
		case c == ' ' || c == '\t' || c == '\r':
			l.i++
		case c == '#':
			end := strings.IndexByte(l.src[l.i:], '\n')
			if end < 0 {
				end = len(l.src) - l.i
			}
			l.i += end
		case strings.HasPrefix(l.src[l.i:], "/*"):
			pos := l.pos()
			end := strings.Index(l.src[l.i+2:], "*/")
			if end < 0 {
				return syntaxf(pos, `the comment that begins here with "/*" has no "*/"`)
			}
			l.advance(end + 4)
		default:
			return nil
		}
	}
	return nil
}

// advance goes over n bytes and counts their lines.
func (l *lexer) advance(n int) {
	text := l.src[l.i : l.i+n]
	for {
		nl := strings.IndexByte(text, '\n')
		if nl < 0 {
			break
		}
		l.newline(l.i + nl + 1)
		l.i += nl + 1
		text = text[nl+1:]
	}
	l.i += len(text)
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	pos := l.pos()
	if l.i >= len(l.src) {
		return token{kind: tokenEnd, pos: pos}, nil
	}
	switch c := l.src[l.i]; {
	case strings.IndexByte("[]{}(),;", c) >= 0:
		l.i++
		return token{kind: tokenMark, pos: pos, text: string(c)}, nil
	case c == '"':
		return l.quoted(pos)
	case isDigit(c):
		return l.numberToken(pos)
	case c == ':':
		l.i++
		name := l.identifier()
		if name == "" {
			return token{}, syntaxf(pos, `":" needs a name directly behind it, as in ":is"`)
		}
		return token{kind: tokenTag, pos: pos, text: asciiLower(name)}, nil
	case isLetter(c):
		name := l.identifier()
		if asciiEqualFold(name, "text") && l.i < len(l.src) && l.src[l.i] == ':' {
			return l.multiLine(pos)
		}
		return token{kind: tokenIdentifier, pos: pos, text: name}, nil
	default:
		r, _ := utf8.DecodeRuneInString(l.src[l.i:])
		return token{}, syntaxf(pos, "the character %q has no meaning here; text belongs between double quotes", r)
	}
}

func (l *lexer) identifier() string {
	start := l.i
	for l.i < len(l.src) && (isLetter(l.src[l.i]) || l.i > start && isDigit(l.src[l.i])) {
		l.i++
	}
	return l.src[start:l.i]
}

// numberToken reads a number with its quantifier.
func (l *lexer) numberToken(pos Pos) (token, error) {
	var n int64
	for l.i < len(l.src) && isDigit(l.src[l.i]) {
		d := int64(l.src[l.i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return token{}, syntaxf(pos, "the number is too large")
		}
		n = n*10 + d
		l.i++
	}
	if l.i < len(l.src) {
		shift := 0
		switch l.src[l.i] {
		case 'K', 'k':
			shift = 10
		case 'M', 'm':
			shift = 20
		case 'G', 'g':
			shift = 30
		}
		if shift > 0 {
			l.i++
			if n > math.MaxInt64>>shift {
				return token{}, syntaxf(pos, "the number is too large")
			}
			n <<= shift
		}
		if l.i < len(l.src) && (isLetter(l.src[l.i]) || isDigit(l.src[l.i])) {
			return token{}, syntaxf(pos, "a number is digits with at most one of K, M or G behind them")
		}
	}
	return token{kind: tokenNumber, pos: pos, number: n}, nil
}

// quoted reads a quoted string (RFC 5228 section 2.4.2).
func (l *lexer) quoted(pos Pos) (token, error) {
	var out []byte
	i := l.i + 1
	for ; i < len(l.src); i++ {
		switch c := l.src[i]; c {
		case '"':
			l.i = i + 1
			return token{kind: tokenString, pos: pos, text: string(out)}, nil
		case '\\':
			i++
			if i >= len(l.src) {
				break
			}
			if l.src[i] == '\n' || l.src[i] == '\r' {
				i--
				continue
			}
			out = append(out, l.src[i])
		case '\r':
			if i+1 < len(l.src) && l.src[i+1] == '\n' {
				continue
			}
			out = append(out, c)
		case '\n':
			l.newline(i + 1)
			out = append(out, '\r', '\n')
		case 0:
			return token{}, syntaxf(pos, "the string that begins here has a NUL character in it")
		default:
			out = append(out, c)
		}
		if len(out) > l.maxString {
			return token{}, syntaxf(pos, "the string that begins here is longer than %d bytes", l.maxString)
		}
	}
	return token{}, syntaxf(pos, "the string that begins here has no closing double quote")
}

// multiLine reads a multi-line string, the lexer standing at the colon of "text:".
func (l *lexer) multiLine(pos Pos) (token, error) {
	l.i++
	for l.i < len(l.src) && (l.src[l.i] == ' ' || l.src[l.i] == '\t') {
		l.i++
	}
	if l.i < len(l.src) && l.src[l.i] == '#' {
		for l.i < len(l.src) && l.src[l.i] != '\n' {
			l.i++
		}
	}
	if l.i < len(l.src) && l.src[l.i] == '\r' {
		l.i++
	}
	if l.i >= len(l.src) || l.src[l.i] != '\n' {
		return token{}, syntaxf(pos, `"text:" must be followed by the end of the line`)
	}
	l.i++
	l.newline(l.i)
	var out []byte
	for l.i < len(l.src) {
		line := l.src[l.i:]
		end := strings.IndexByte(line, '\n')
		if end < 0 {
			end = len(line)
			l.i += end
		} else {
			line = line[:end]
			l.i += end + 1
			l.newline(l.i)
		}
		line = strings.TrimSuffix(line[:min(end, len(line))], "\r")
		if line == "." {
			return token{kind: tokenString, pos: pos, text: string(out)}, nil
		}
		if strings.HasPrefix(line, "..") {
			line = line[1:]
		}
		if strings.IndexByte(line, 0) >= 0 {
			return token{}, syntaxf(pos, "the text that begins here has a NUL character in it")
		}
		out = append(append(out, line...), '\r', '\n')
		if len(out) > l.maxString {
			return token{}, syntaxf(pos, "the text that begins here is longer than %d bytes", l.maxString)
		}
	}
	return token{}, syntaxf(pos, `the text that begins here has no line with a single "." to end it`)
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
