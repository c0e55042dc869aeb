package sieve

import (
	"encoding/base64"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// encodedWords returns RFC 2047 words of UTF-8 text, each of whole characters.
func encodedWords(s string) []string {
	var out []string
	for s != "" {
		n := min(len(s), maxEncodedOctets)
		for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		if n == 0 {
			n = min(len(s), maxEncodedOctets)
		}
		out = append(out, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return out
}

// textEntity returns a text as the fields and body of a text/plain part in UTF-8. No line of the body begins with "--", so
// that it cannot be taken for a boundary.
func textEntity(text string) (fields, body []byte) {
	text = crlf(text)
	if plainText(text) {
		return []byte("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n"), []byte(text)
	}
	var out strings.Builder
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // a strings.Builder does not fail
	_ = w.Close()
	lines := strings.SplitAfter(out.String(), "\n")
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, "--"):
			lines[i] = "=2D" + l[1:]
		case strings.HasPrefix(l, "From "):
			lines[i] = "=46" + l[1:]
		case strings.HasPrefix(l, "."):
			lines[i] = "=2E" + l[1:]
		}
	}
	return []byte("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"),
		[]byte(strings.Join(lines, ""))
}

// plainText reports whether a text can be sent as it is.
func plainText(text string) bool {
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 76 || !isASCII(line) || strings.HasPrefix(line, "--") || strings.HasPrefix(line, "From ") ||
			strings.ContainsAny(line, "\r\x00") || strings.HasSuffix(line, " ") && line != "-- " {
			return false
		}
	}
	return true
}

// crlf returns text with CRLF at the end of every line, the last one too.
func crlf(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	if text != "" && !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	return text
}
