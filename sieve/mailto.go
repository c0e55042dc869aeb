package sieve

import (
	"net/url"
	"strings"
)

// mailto is a mailto URI (RFC 6068) without the headers that RFC 5436 section 2.7 forbids.
type mailto struct {
	to, cc, bcc []string
	subject     string
	body        string
	others      [][2]string // name and value
}

// maxMailtoRecipients is how many addresses a mailto URI may name.
const maxMailtoRecipients = 8

// unsafeHeaders of a mailto URI are passed over: what the notification itself says (RFC 5436 section 2.7) and what could
// pretend to come from somewhere else.
var unsafeHeaders = map[string]bool{
	"auto-submitted": true, "received": true, "from": true, "sender": true, "date": true, "message-id": true, "return-path": true,
	"mime-version": true, "content-type": true, "content-transfer-encoding": true, "content-disposition": true, "references": true,
	"in-reply-to": true, "resent-from": true, "resent-to": true, "resent-cc": true, "resent-bcc": true, "resent-sender": true,
	"resent-date": true, "resent-message-id": true, "dkim-signature": true, "authentication-results": true, "delivered-to": true,
	"arc-seal": true, "arc-message-signature": true, "arc-authentication-results": true, "disposition-notification-to": true,
	"return-receipt-to": true, "list-id": true, "errors-to": true, "reply-to": true,
}

// parseMailto reads a mailto URI; ok is false when it is not valid or names nobody.
func parseMailto(u *url.URL) (m mailto, ok bool) {
	if u.Scheme != "mailto" {
		return m, false
	}
	if m.to, ok = mailtoAddresses(nil, u.Opaque); !ok {
		return m, false
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, raw, hasValue := strings.Cut(pair, "=")
		name, err := url.PathUnescape(name)
		value, err2 := url.PathUnescape(raw)
		if err != nil || err2 != nil || !hasValue || !validFieldName(name) {
			return m, false
		}
		switch lower := asciiLower(name); lower {
		case "to":
			m.to, ok = mailtoAddresses(m.to, raw)
		case "cc":
			m.cc, ok = mailtoAddresses(m.cc, raw)
		case "bcc":
			m.bcc, ok = mailtoAddresses(m.bcc, raw)
		case "subject":
			m.subject = value
		case "body":
			m.body = value
		default:
			if !unsafeHeaders[lower] && len(m.others) < 16 {
				m.others = append(m.others, [2]string{name, value})
			}
		}
		if !ok {
			return m, false
		}
	}
	n := len(m.to) + len(m.cc) + len(m.bcc)
	return m, n > 0 && n <= maxMailtoRecipients
}

// mailtoAddresses appends the addresses of a comma-separated list, each percent-encoded.
func mailtoAddresses(list []string, raw string) ([]string, bool) {
	if raw == "" {
		return list, true
	}
	if len(raw) > 4096 {
		return list, false
	}
	for one := range strings.SplitSeq(raw, ",") {
		decoded, err := url.PathUnescape(one)
		if err != nil {
			return list, false
		}
		address, ok := singleAddress(decoded)
		if !ok {
			return list, false
		}
		list = append(list, address)
	}
	return list, true
}
