package message

import "strings"

// commonTokens are the tokens of nearly all mail. The stored form names them by their index: entries may be appended, but
// neither moved nor changed without a new storedVersion.
var commonTokens = []string{
	"7bit", "text", "plain", "charset", "utf-8", "html", "quoted-printable", "base64",
	"multipart", "alternative", "mixed", "boundary", "application", "name", "filename", "attachment",
	"8bit", "us-ascii", "inline", "image", "octet-stream", "related", "pdf", "png",
	"UTF-8", "iso-8859-1", "ISO-8859-1", "windows-1252", "Windows-1252", "US-ASCII", "format", "flowed",
	"delsp", "yes", "jpeg", "gif", "message", "rfc822", "global", "report",
	"delivery-status", "rfc822-headers", "disposition-notification", "signed", "encrypted", "digest", "protocol", "micalg",
	"application/pgp-signature", "application/pkcs7-signature", "pgp-signature", "pkcs7-signature", "pgp-sha256", "pgp-sha512", "sha-256", "pgp-encrypted",
	"calendar", "method", "csv", "xml", "rtf", "x-patch", "binary", "audio",
	"video", "mp4", "mpeg", "webp", "svg+xml", "zip", "msword", "vnd.ms-excel",
	"vnd.openxmlformats-officedocument.wordprocessingml.document", "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"vnd.openxmlformats-officedocument.presentationml.presentation", "ms-tnef", "x-zip-compressed", "type", "multipart/alternative", "text/html",
	"start", "report-type", "size", "creation-date", "modification-date", "read-date", "filename*", "name*",
	"reply-type", "response", "original", "x-unix-mode", "x-mac-type", "x-mac-creator", "iso-8859-15", "iso-2022-jp",
	"koi8-r", "gb2312", "gbk", "big5", "windows-1251", "shift_jis", "euc-kr", "amp-html",
}

var tokenIndex = func() map[string]int {
	m := make(map[string]int, len(commonTokens))
	for i, s := range commonTokens {
		m[s] = i
	}
	return m
}()

// lowerToken returns a token in lower case, as a constant where it is a common one.
func lowerToken(s string) string {
	s = strings.ToLower(s)
	if i, ok := tokenIndex[s]; ok {
		return commonTokens[i]
	}
	return s
}
