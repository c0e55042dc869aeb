package directory

import (
	"strings"
	"unicode"
)

// isDotString reports whether s needs no quotes: atoms with single dots between (RFC 5321 section 4.1.2), non-ASCII
// characters included (RFC 6531 section 3.3).
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r) {
			return false
		}
	}
	return true
}

// isPrintable reports whether s has only characters that a quoted string may have: no controls, no line ends, no
// invisible spaces. Joiners stay: several scripts cannot be written without them.
func isPrintable(s string) bool {
	for _, r := range s {
		switch {
		case r == ' ' || r == '\u200c' || r == '\u200d':
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Z, r) || r == unicode.ReplacementChar:
			return false
		}
	}
	return true
}

// unquote returns what a quoted string stands for. ok is false when s is none.
func unquote(s string) (content string, ok bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	inner := s[1 : len(s)-1]
	for i := 0; i < len(inner); i++ {
		switch inner[i] {
		case '"':
			return "", false
		case '\\':
			if i++; i == len(inner) {
				return "", false
			}
		}
		b.WriteByte(inner[i])
	}
	return b.String(), true
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}
