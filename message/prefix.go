package message

import "strings"

// AppendField appends a header field on one line, with its CRLF, to the fields that are put before a message. Whatever name
// and value hold, nothing but this one field comes of it: in the name what RFC 5322 section 2.2 does not allow becomes "-";
// in the value CR, LF and NUL become spaces, and the line ends after 998 bytes.
func AppendField(dst []byte, name, value string) []byte {
	start := len(dst)
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || c == ':' {
			c = '-'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ": "...)
	for i := range len(value) {
		c := value[i]
		if c == '\r' || c == '\n' || c == 0 {
			c = ' '
		}
		dst = append(dst, c)
	}
	if len(dst)-start > maxLineLength {
		dst = dst[:start+maxLineLength]
	}
	return append(dst, "\r\n"...)
}

// maxLineLength is the greatest length of a line without its CRLF (RFC 5322 section 2.1.1).
const maxLineLength = 998

// AppendReturnPath appends a Return-Path field (RFC 5321 section 4.4); the null reverse path is "".
func AppendReturnPath(dst []byte, reversePath string) []byte {
	return AppendField(dst, "Return-Path", "<"+strings.Trim(reversePath, "<>")+">")
}
