package message

import (
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// DecodeCharset returns a reader of r as UTF-8; an unknown charset is read as UTF-8 with replacements. Text that declares
// no charset, or US-ASCII and has other bytes all the same, is read as UTF-8 where it is that and as Windows-1252 elsewhere.
func DecodeCharset(r io.Reader, charset string) io.Reader {
	return transform.NewReader(r, charsetDecoder(charset))
}

// decodeCharset is DecodeCharset for text that is at hand.
func decodeCharset(b []byte, charset string) string {
	if utf8.Valid(b) && isUTF8(charset) {
		return string(b)
	}
	out, _, err := transform.Bytes(charsetDecoder(charset), b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(out)
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

func charsetDecoder(charset string) transform.Transformer {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	switch charset {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown":
		return guess{}
	case "utf-8", "utf8":
		return unicode.UTF8.NewDecoder()
	case "utf-7", "unicode-1-1-utf-7":
		return new(utf7)
	case "cp437", "ibm437":
		return charmap.CodePage437.NewDecoder()
	case "cp850", "ibm850":
		return charmap.CodePage850.NewDecoder()
	}
	// The WHATWG names come first: what calls itself ISO-8859-1 is Windows-1252, GB2312 is GBK.
	if e, err := htmlindex.Get(charset); err == nil && e != encoding.Replacement {
		return e.NewDecoder()
	}
	if e, err := ianaindex.MIME.Encoding(charset); err == nil && e != nil {
		return e.NewDecoder()
	}
	if e, err := ianaindex.IANA.Encoding(charset); err == nil && e != nil {
		return e.NewDecoder()
	}
	return unicode.UTF8.NewDecoder()
}

// guess reads UTF-8, and bytes that are not UTF-8 as Windows-1252.
type guess struct{ transform.NopResetter }

func (guess) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := rune(src[nSrc]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(src[nSrc:])
			if r == utf8.RuneError && size == 1 {
				if !atEOF && !utf8.FullRune(src[nSrc:]) {
					return nDst, nSrc, transform.ErrShortSrc
				}
				r = charmap.Windows1252.DecodeByte(src[nSrc])
			}
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += size
	}
	return nDst, nSrc, nil
}
