package lmtpd

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// attributes are what Postfix's XCLIENT and XFORWARD commands say about a client, by name in upper case. A value that is not
// known is not in the map.
type attributes map[string]string

// maxAttribute bounds a value in bytes, as Postfix does.
const maxAttribute = 255

var (
	xclientNames  = []string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"}
	xforwardNames = []string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"}
)

var errAttribute = errors.New("bad attribute")

// merge reads "NAME=value NAME=value" into a; values are xtext (RFC 3461 section 4), [UNAVAILABLE] and [TEMPUNAVAIL] take a
// value away. a is not changed when there is an error.
func (a attributes) merge(args string, names []string) error {
	fields := strings.Fields(args)
	if len(fields) == 0 {
		return errAttribute
	}
	given := make(map[string]string, len(fields))
	for _, f := range fields {
		name, value, ok := strings.Cut(f, "=")
		name = strings.ToUpper(name)
		if !ok || !contains(names, name) {
			return errAttribute
		}
		value, ok = unxtext(value)
		if !ok || !checkAttribute(name, value) {
			return errAttribute
		}
		given[name] = value
	}
	for name, value := range given {
		if isUnavailable(value) {
			delete(a, name)
		} else {
			a[name] = value
		}
	}
	return nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func isUnavailable(value string) bool {
	return strings.EqualFold(value, "[UNAVAILABLE]") || strings.EqualFold(value, "[TEMPUNAVAIL]") || value == ""
}

func checkAttribute(name, value string) bool {
	if isUnavailable(value) {
		return true
	}
	switch name {
	case "ADDR", "DESTADDR":
		_, ok := parseAttributeAddr(value)
		return ok
	case "PORT", "DESTPORT":
		_, err := strconv.ParseUint(value, 10, 16)
		return err == nil
	case "SOURCE":
		return strings.EqualFold(value, "LOCAL") || strings.EqualFold(value, "REMOTE")
	case "PROTO":
		return strings.EqualFold(value, "SMTP") || strings.EqualFold(value, "ESMTP") || strings.EqualFold(value, "LMTP")
	}
	return true
}

// parseAttributeAddr reads an address: IPv4 as it is, IPv6 behind "IPV6:".
func parseAttributeAddr(value string) (netip.Addr, bool) {
	if len(value) > 5 && strings.EqualFold(value[:5], "IPV6:") {
		a, err := netip.ParseAddr(value[5:])
		return a, err == nil && a.Is6() && a.Zone() == ""
	}
	a, err := netip.ParseAddr(value)
	return a, err == nil && a.Is4()
}

// unxtext decodes xtext. Also UTF-8 is taken as it is: Postfix sends names so with SMTPUTF8.
func unxtext(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", false
			}
			v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			c = byte(v)
			i += 2
		}
		b.WriteByte(c)
	}
	out := b.String()
	if len(out) > maxAttribute || !utf8.ValidString(out) || hasControl([]byte(out)) {
		return "", false
	}
	return out, true
}

// literal returns the address of a client as an address literal, "" when it is not known.
func (a attributes) literal() string {
	ip, ok := parseAttributeAddr(a["ADDR"])
	if !ok {
		return ""
	}
	return literal(ip)
}
