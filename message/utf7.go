package message

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// utf7 decodes UTF-7 (RFC 2152), which golang.org/x/text lacks and old mail has.
type utf7 struct {
	shifted bool   // inside +...-
	fresh   bool   // nothing came after the +
	bits    uint32 // bits not used yet, count of them
	count   uint
	high    rune // a high surrogate that waits for its low one
}

func (u *utf7) Reset() { *u = utf7{} }

func (u *utf7) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for ; nSrc < len(src); nSrc++ {
		// One byte yields at most a replacement for a lost surrogate and a character.
		if len(dst)-nDst < 2*utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		c := src[nSrc]
		if !u.shifted {
			switch {
			case c == '+':
				*u = utf7{shifted: true, fresh: true}
			case c < utf8.RuneSelf:
				dst[nDst] = c
				nDst++
			default:
				nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
			}
			continue
		}
		if v := base64Values[c]; v < 64 {
			u.fresh = false
			u.bits = u.bits<<6 | uint32(v)
			u.count += 6
			if u.count >= 16 {
				u.count -= 16
				nDst += u.unit(dst[nDst:], rune(u.bits>>u.count&0xffff))
			}
			continue
		}
		fresh := u.fresh
		if u.high != 0 {
			nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
		}
		*u = utf7{}
		switch {
		case c == '-' && fresh:
			dst[nDst] = '+'
			nDst++
		case c == '-':
		case c < utf8.RuneSelf:
			dst[nDst] = c
			nDst++
		default:
			nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
		}
	}
	return nDst, nSrc, nil
}

// unit takes a UTF-16 unit and writes what is complete with it.
func (u *utf7) unit(dst []byte, r rune) int {
	n := 0
	if u.high != 0 {
		if pair := utf16.DecodeRune(u.high, r); pair != utf8.RuneError {
			u.high = 0
			return utf8.EncodeRune(dst, pair)
		}
		n = utf8.EncodeRune(dst, utf8.RuneError)
		u.high = 0
	}
	if 0xd800 <= r && r < 0xdc00 {
		u.high = r
		return n
	}
	return n + utf8.EncodeRune(dst[n:], r)
}
