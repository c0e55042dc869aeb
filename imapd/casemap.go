package imapd

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendCasemap appends the form of s in which i;unicode-casemap (RFC 5051) compares strings, octet by octet: every character
// in title case, then decomposed. So "é" is found however it is written, in either case. Characters are mapped one by one: a
// text may be mapped in pieces. Bytes that are not UTF-8 stay what they are.
func appendCasemap(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[i])
		} else {
			dst = append(dst, casemapOf(r)...)
		}
		i += n
	}
	return dst
}

// casemap returns the form in which i;unicode-casemap compares s.
func casemap(s string) []byte { return appendCasemap(make([]byte, 0, len(s)), []byte(s)) }

const casemapPageSize = 256

type casemapPage [casemapPageSize]string

// casemapPages holds what was asked for, in pages: to look every property of every character up costs 20 times as much.
var casemapPages [(unicode.MaxRune + 1) / casemapPageSize]atomic.Pointer[casemapPage]

func casemapOf(r rune) string {
	slot := &casemapPages[r/casemapPageSize]
	page := slot.Load()
	if page == nil {
		page = &casemapPage{}
		first := r / casemapPageSize * casemapPageSize
		for i := range page {
			page[i] = norm.NFKD.String(string(unicode.ToTitle(first + rune(i))))
		}
		slot.Store(page) // two may come to the same at once
	}
	return page[r%casemapPageSize]
}
