package message

import "io"

// DecodeHeader turns an unfolded header value into UTF-8: RFC 2047 words in every charset of golang.org/x/text, raw 8-bit
// bytes as UTF-8 or Windows-1252. It never fails.
func DecodeHeader(raw string) string { panic("stub") }

// DecodeTransfer returns a reader of r without its Content-Transfer-Encoding ("base64", "quoted-printable"; anything else
// unchanged); broken encodings yield what can be read.
func DecodeTransfer(r io.Reader, encoding string) io.Reader { panic("stub") }

// DecodeCharset returns a reader of r as UTF-8; an unknown charset is read as UTF-8 with replacements.
func DecodeCharset(r io.Reader, charset string) io.Reader { panic("stub") }

// ParseDate reads a Date field's value as leniently as mail needs. ok is false when there is no date in it.
func ParseDate(value string) (unix int64, zoneOffset int, ok bool) { panic("stub") }
