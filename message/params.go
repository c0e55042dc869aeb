package message

import (
	"strconv"
	"strings"
)

// skipCFWS returns s without the white space and comments it begins with. A comment that is not closed ends with s.
func skipCFWS(s string) string {
	for len(s) > 0 {
		switch {
		case isSpace(s[0]):
			s = s[1:]
		case s[0] == '(':
			s = skipComment(s)
		default:
			return s
		}
	}
	return s
}

// skipComment returns what follows the comment that s begins with.
func skipComment(s string) string {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[i+1:]
			}
		}
	}
	return ""
}

// mediaToken returns the token (RFC 2045 section 5.1) that s begins with, and what follows.
func mediaToken(s string) (token, rest string) {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) >= 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// parseParams reads the parameters of an unfolded Content-Type or Content-Disposition: what stands where a semicolon or
// the end is expected is skipped, semicolons may be missing, values may have characters that ask for quotes. Of
// parameters with the same name the first is kept. RFC 2231 continuations are joined.
func parseParams(s string) []Param {
	var params []Param
	continued := false
	for n := 0; n < maxParams; {
		for s = skipCFWS(s); strings.HasPrefix(s, ";"); s = skipCFWS(s) {
			s = s[1:]
		}
		if s == "" {
			break
		}
		name, rest := mediaToken(s)
		rest = skipCFWS(rest)
		if name == "" || !strings.HasPrefix(rest, "=") {
			end := strings.IndexByte(rest, ';')
			if end < 0 {
				break
			}
			s = rest[end:]
			continue
		}
		var value string
		value, s = paramValue(skipCFWS(rest[1:]))
		name = lowerToken(name)
		if strings.IndexByte(name, '*') >= 0 {
			continued = true
		}
		n++
		params = addParam(params, name, value)
	}
	if continued {
		return joinParams(params)
	}
	return params
}

func addParam(params []Param, name, value string) []Param {
	for _, p := range params {
		if p.Name == name {
			return params
		}
	}
	if params == nil {
		params = make([]Param, 0, 2)
	}
	return append(params, Param{name, value})
}

// paramValue returns the value that s begins with, and what follows.
func paramValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		return quotedString(s)
	}
	end := 0
	for end < len(s) && s[end] != ';' {
		if isSpace(s[end]) {
			// A name and an equals sign here mean that a semicolon is missing.
			next := skipSpace(s[end:])
			if token, after := mediaToken(next); token != "" && strings.HasPrefix(after, "=") {
				return s[:end], next
			}
			if next == "" {
				return s[:end], ""
			}
			end = len(s) - len(next)
			if s[end] == ';' {
				break
			}
			// The next word was looked at already.
			for end < len(s) && s[end] != ';' && !isSpace(s[end]) {
				end++
			}
			continue
		}
		end++
	}
	value, rest = trimSpace(s[:end]), s[end:]
	if strings.HasSuffix(value, ")") {
		if i := strings.IndexByte(value, '('); i > 0 && isSpace(value[i-1]) {
			value = trimSpace(value[:i])
		}
	}
	return value, rest
}

func skipSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// quotedString returns the content of the quoted string that s begins with, and what follows it. One that is not closed
// ends with s.
func quotedString(s string) (content, rest string) {
	s = s[1:]
	end := strings.IndexAny(s, `"\`)
	if end < 0 {
		return s, ""
	}
	if s[end] == '"' {
		return s[:end], s[end+1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// splitName takes apart a parameter name of RFC 2231: name*, name*1, name*1*. section is -1 for none.
func splitName(name string) (base string, section int, extended bool) {
	base, extended = strings.CutSuffix(name, "*")
	star := strings.LastIndexByte(base, '*')
	if star <= 0 {
		return base, -1, extended
	}
	n, err := strconv.ParseUint(base[star+1:], 10, 16)
	if err != nil {
		return name, -1, false
	}
	return base[:star], int(n), extended
}

// joinParams joins continuations (RFC 2231 section 3, which section 6 asks of IMAP servers). The result stands where the
// first piece did. When a piece is extended, the joined parameter is in the extended form "name*", charset and language
// in front and octets percent-encoded, as a client expects of "name*" that was never cut.
func joinParams(params []Param) []Param {
	var joined []Param
	for _, p := range params {
		base, section, _ := splitName(p.Name)
		switch section {
		case -1:
			joined = addParam(joined, p.Name, p.Value)
		case 0:
			name, value := joinSections(params, base)
			joined = addParam(joined, lowerToken(name), value)
		}
	}
	return joined
}

// joinSections joins section 0 of a parameter and those that follow it without a gap.
func joinSections(params []Param, base string) (name, value string) {
	type piece struct {
		value    string
		extended bool
		found    bool
	}
	var pieces [maxParams]piece
	anyExtended := false
	for _, p := range params {
		b, section, extended := splitName(p.Name)
		if b == base && section >= 0 && section < len(pieces) && !pieces[section].found {
			pieces[section] = piece{p.Value, extended, true}
		}
	}
	for _, p := range pieces {
		if !p.found {
			break
		}
		anyExtended = anyExtended || p.extended
	}
	var b strings.Builder
	for i, p := range pieces {
		switch {
		case !p.found:
			return base + star(anyExtended), b.String()
		case !anyExtended || p.extended:
			b.WriteString(p.value)
		default:
			if i == 0 {
				b.WriteString("''")
			}
			escapeParam(&b, p.value)
		}
	}
	return base + star(anyExtended), b.String()
}

func star(extended bool) string {
	if extended {
		return "*"
	}
	return ""
}

// escapeParam writes s percent-encoded as an extended value needs it (RFC 2231 section 7, attribute-char).
func escapeParam(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`*'%()<>@,;:\"/[]?=`, c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
}
