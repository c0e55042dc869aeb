package sieve

import (
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// addressPart is an ADDRESS-PART (RFC 5228 section 2.7.4, RFC 5233 section 2).
type addressPart uint8

const (
	partAll addressPart = iota
	partLocal
	partDomain
	partUser
	partDetail
)

var addressParts = map[string]addressPart{
	"": partAll, "all": partAll, "localpart": partLocal, "domain": partDomain, "user": partUser, "detail": partDetail,
}

// addressFields are the fields that hold addresses; the address test takes no others (RFC 5228 section 5.1).
var addressFields = map[string]bool{
	"from": true, "to": true, "cc": true, "bcc": true, "sender": true, "reply-to": true,
	"resent-from": true, "resent-to": true, "resent-cc": true, "resent-bcc": true, "resent-sender": true, "resent-reply-to": true,
	"return-path": true, "delivered-to": true, "envelope-to": true, "x-envelope-to": true, "x-envelope-from": true,
	"x-original-to": true, "original-recipient": true, "original-from": true, "apparently-to": true, "errors-to": true,
	"mail-followup-to": true, "mail-reply-to": true, "disposition-notification-to": true, "return-receipt-to": true,
	"x-confirm-reading-to": true, "x-beenthere": true, "x-sender": true, "x-forwarded-to": true, "x-forwarded-for": true,
	"abuse-reports-to": true, "x-complaints-to": true, "x-report-abuse-to": true, "x-rcpt-to": true, "approved": true,
}

// parseAddresses reads an unfolded address list as the ENVELOPE of IMAP does; groups are left out, their members are not.
func parseAddresses(value string) []message.Address {
	all := message.Scan([]byte("From: " + value + "\r\n\r\n")).Envelope.From
	out := all[:0]
	for _, a := range all {
		if a.Mailbox != nil && a.Host != nil && *a.Mailbox != "" {
			out = append(out, a)
		}
	}
	return out
}

// addrSpec returns an address as local-part@domain.
func addrSpec(a message.Address) string {
	if *a.Host == "" {
		return *a.Mailbox
	}
	return *a.Mailbox + "@" + *a.Host
}

// of returns the part of an address; ok is false when the address has no such part.
func (p addressPart) of(address, delimiter string) (out string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if p == partAll {
		return address, true
	}
	if at < 0 {
		return "", false
	}
	local, domain := address[:at], address[at+1:]
	switch p {
	case partLocal:
		return local, true
	case partDomain:
		return domain, true
	}
	i := -1
	switch delimiter {
	case NoDelimiter:
	case "":
		i = strings.IndexByte(local, '+')
	default:
		i = strings.IndexAny(local, delimiter)
	}
	switch {
	case p == partUser && i < 0:
		return local, true
	case p == partUser:
		return local[:i], true
	case i < 0:
		return "", false // RFC 5233 section 4: without a detail every :detail test is false
	}
	return local[i+1:], true
}

// validAddress reports whether s is an addr-spec that mail can be sent to: a dot-atom or a quoted string, "@", a domain.
// Characters beyond ASCII are let pass (RFC 6531).
func validAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || len(s) > 320 || !validDomain(s[at+1:]) {
		return false
	}
	local := s[:at]
	if local[0] == '"' {
		return validQuoted(local)
	}
	for _, atom := range strings.Split(local, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if c := atom[i]; c <= ' ' || c == 0x7f || strings.IndexByte("()<>@,;:\\\"[]", c) >= 0 {
				return false
			}
		}
	}
	return true
}

func validQuoted(s string) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
			if i == len(s)-1 || s[i] < ' ' {
				return false
			}
		case c == '"' || c < ' ' || c == 0x7f:
			return false
		}
	}
	return true
}

func validDomain(s string) bool {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		return strings.Trim(s[1:len(s)-1], "0123456789abcdefABCDEF.:IPv") == ""
	}
	if len(s) > 255 {
		return false
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && !isDigit(c) && c != '-' && c < 0x80 {
				return false
			}
		}
	}
	return true
}

// singleAddress reads "address" or "Name <address>" as RFC 5322 mailbox; ok is false unless it is exactly one.
func singleAddress(s string) (address string, ok bool) {
	if strings.ContainsAny(s, "\r\n\x00") || len(s) > 1000 {
		return "", false
	}
	if s = strings.TrimSpace(s); validAddress(s) {
		return s, true
	}
	list := parseAddresses(s)
	if len(list) != 1 {
		return "", false
	}
	if address = addrSpec(list[0]); !validAddress(address) { // a local part that was quoted
		address = quoted(*list[0].Mailbox) + "@" + *list[0].Host
	}
	return address, validAddress(address)
}
