package sieve

import (
	"strings"
	"unicode/utf8"
)

// List is an external list (RFC 6134): its members in memory, found by hash. It is immutable and may be used in several
// goroutines at once.
type List struct {
	members   map[string]struct{} // folded
	addresses []string            // those that mail can be sent to, in order, each once
}

// NewList makes a list. A member is an address, also as "Name <address>"; a domain with "@" before it, which stands for all of
// its addresses and for itself; or any other text. Case does not matter. What is no UTF-8 and the empty text are left out.
// Others are further names of members: they are found, and nothing is sent to them.
func NewList(members, others []string) *List {
	l := &List{members: make(map[string]struct{}, len(members)+len(others))}
	for _, m := range members {
		l.add(strings.TrimSpace(m))
	}
	addresses := l.addresses
	for _, m := range others {
		l.add(strings.TrimSpace(m))
	}
	l.addresses = addresses
	return l
}

// ParseList reads a list with one member a line. Empty lines and lines that begin with "#" are none.
func ParseList(text string) *List {
	l := &List{members: make(map[string]struct{}, strings.Count(text, "\n"))}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			l.add(line)
		}
	}
	return l
}

// Len returns how many different members the list has.
func (l *List) Len() int { return len(l.members) }

// Addresses returns the members that mail can be sent to, in order, each once. It must not be changed.
func (l *List) Addresses() []string { return l.addresses }

func (l *List) add(member string) {
	if member == "" || !utf8.ValidString(member) {
		return
	}
	address, ok := "", false
	if strings.Contains(member, "@") {
		if address, ok = singleAddress(member); ok {
			member = memberOf(address)
		}
	}
	folded := strings.ToLower(member)
	if _, had := l.members[folded]; had {
		return
	}
	l.members[folded] = struct{}{}
	if ok {
		l.addresses = append(l.addresses, address)
	}
}

// memberOf returns an address as the address test compares it: its local part without quotes.
func memberOf(address string) string {
	if strings.HasPrefix(address, `"`) {
		if list := parseAddresses(address); len(list) == 1 {
			return addrSpec(list[0])
		}
	}
	return address
}

// Contains reports whether a value is a member, or an address of a domain that is. A value that is a list of mailboxes, as in a
// header field, is when one of them is.
func (l *List) Contains(value string) bool {
	if l.has(value) {
		return true
	}
	if !strings.ContainsAny(value, `<,";(`) || !strings.Contains(value, "@") {
		return false
	}
	for _, a := range parseAddresses(value) {
		if l.has(addrSpec(a)) {
			return true
		}
	}
	return false
}

func (l *List) has(value string) bool {
	if len(l.members) == 0 {
		return false
	}
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "" {
		return false
	}
	if _, ok := l.members[value]; ok {
		return true
	}
	domain := "@" + value[strings.LastIndexByte(value, '@')+1:] // of a value without "@", what address :domain compares
	_, ok := l.members[domain]
	return ok
}

// sieveURN is what relative names of lists are relative to (RFC 6134).
const sieveURN = "urn:ietf:params:sieve"

// maxListName is how many bytes a list's name may have.
const maxListName = 1000

// CanonicalList returns the name of a list in the one form that stands for it: an absolute URI, its scheme in lower case, and
// the whole of it below "urn:ietf:params:sieve", to which a name that begins with a colon belongs: ":addrbook:default" is
// "urn:ietf:params:sieve:addrbook:default". ok is false for what names no list.
func CanonicalList(name string) (canonical string, ok bool) {
	if strings.HasPrefix(name, ":") && name != ":" {
		name = sieveURN + name
	}
	if len(name) > maxListName {
		return "", false
	}
	scheme, rest, found := strings.Cut(name, ":")
	if !found || rest == "" || !validScheme(scheme) || !validURIRest(rest) {
		return "", false
	}
	scheme = asciiLower(scheme)
	if prefix := sieveURN + ":"; scheme == "urn" && len(name) > len(prefix) && asciiEqualFold(name[:len(prefix)], prefix) {
		return asciiLower(name), true
	}
	if nid, nss, found := strings.Cut(rest, ":"); scheme == "urn" && found { // RFC 8141 section 3.1: its case does not matter
		rest = asciiLower(nid) + ":" + nss
	}
	return scheme + ":" + rest, true
}

// validScheme reports whether s is a URI's scheme (RFC 3986 section 3.1).
func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// validURIRest reports whether s has the characters only that a URI has behind its scheme (RFC 3986 section 2).
func validURIRest(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 2
			continue
		}
		if !isLetter(c) && !isDigit(c) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) < 0 {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
