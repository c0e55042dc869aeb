package message

import (
	"bytes"
	"iter"
	"strings"
)

// MessageIDs yields the Message IDs in a field's value, normalized: without angle brackets, white space, comments, and the
// quoting that RFC 5256 section 3 says makes no difference. What is yielded is valid until the next one. What stands outside
// of angle brackets is passed over.
func MessageIDs(value string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var id []byte
		for {
			start := strings.IndexByte(value, '<')
			if start < 0 {
				return
			}
			var ok bool
			id, value, ok = messageID(id[:0], value[start+1:])
			if ok && !yield(id) {
				return
			}
		}
	}
}

// messageID reads a Message ID up to its ">" and appends it to dst, normalized. It is none when it has no "@" with something
// on both sides, or another "<" begins before it ends. rest is what was not looked at.
func messageID(dst []byte, s string) (id []byte, rest string, ok bool) {
	id = dst
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted && i+1 < len(s):
			i++
			id = append(id, s[i])
		case c == '"':
			quoted = !quoted
		case quoted:
			id = append(id, c)
		case c == '>':
			at := bytes.LastIndexByte(id, '@')
			return id, s[i+1:], at > 0 && at < len(id)-1
		case c == '<':
			return id, s[i:], false
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		default:
			id = append(id, c)
		}
	}
	return id, "", false
}
