package imapd

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// needleDecoder returns how search strings in a charset become UTF-8; nil for an unknown charset.
func needleDecoder(charset string) func(string) string {
	if strings.EqualFold(charset, "UTF-8") || strings.EqualFold(charset, "US-ASCII") {
		return decodeNeedle
	}
	enc := lookupCharset(charset)
	if enc == nil {
		return nil
	}
	return func(s string) string {
		decoded, err := enc.NewDecoder().String(s)
		if err != nil {
			return strings.ToValidUTF8(s, "\ufffd")
		}
		return decoded
	}
}

func lookupCharset(charset string) encoding.Encoding {
	// Indexes know names of charsets they have no table for: then the encoding is nil.
	if enc, err := ianaindex.MIME.Encoding(charset); err == nil && enc != nil {
		return enc
	}
	if enc, err := ianaindex.IANA.Encoding(charset); err == nil && enc != nil {
		return enc
	}
	enc, err := htmlindex.Get(charset)
	if err != nil || enc == encoding.Replacement {
		return nil
	}
	return enc
}

// decodeNeedle takes a string for UTF-8, and one that is not, which breaks the rules without a CHARSET, for Windows-1252.
func decodeNeedle(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	decoded, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return decoded
}
