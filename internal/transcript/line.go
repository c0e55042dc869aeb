package transcript

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// split takes a line apart. kind is 'C', 'S', '!', '=', '#' (also for an empty line), or '?' for none of them.
func split(line string) (kind byte, name, text string) {
	switch {
	case line == "" || line[0] == '#':
		return '#', "", line
	case line[0] == '!':
		return '!', "", strings.TrimSpace(line[1:])
	case line[0] == '=':
		return '=', "", line
	case line[0] != 'C' && line[0] != 'S':
		return '?', "", line
	}
	head, text, ok := strings.Cut(line, ":")
	if !ok || len(head) > 1 && head[1] != ' ' {
		return '?', "", line
	}
	return line[0], strings.TrimSpace(head[1:]), strings.TrimPrefix(text, " ")
}

// unescape returns the bytes of a C line.
func unescape(s string) (string, error) {
	s, open := strings.CutSuffix(s, `\+`)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", errors.New(`a \ at the end`)
		}
		switch s[i] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '\\':
			b.WriteByte('\\')
		case 'x':
			if i+2 >= len(s) {
				return "", errors.New(`\x without two digits`)
			}
			v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", err
			}
			b.WriteByte(byte(v))
			i += 2
		default:
			return "", fmt.Errorf(`\%c is nothing`, s[i])
		}
	}
	if !open {
		b.WriteString("\r\n")
	}
	return b.String(), nil
}

// escape is how a server's line stands in a transcript.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
