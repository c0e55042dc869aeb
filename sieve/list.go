package sieve

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// List is an external list (RFC 6134): its members in memory, found by hash. It is immutable and may be used in several
// goroutines at once.
type List struct {
	members   map[string]string // by what they are found by, folded
	addresses []string          // those that mail can be sent to, in order, each once
}

// NewList makes a list. A member is an address, also as "Name <address>"; a domain with "@" before it, which stands for all of
// its addresses and for itself; or any other text. Case does not matter. What is no UTF-8 and the empty text are left out.
// Others are further names of members: they are found, and nothing is sent to them.
func NewList(members, others []string) *List {
	l := &List{members: make(map[string]string, len(members)+len(others))}
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
	l := &List{members: make(map[string]string, strings.Count(text, "\n"))}
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
	l.members[folded] = member
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

// Find returns the member that a value is, or that is the domain of an address. Of a value that is a list of mailboxes, as in a
// header field, it looks for each. A member given as "Name <address>" is its address.
func (l *List) Find(value string) (member string, ok bool) {
	if member, ok = l.find(value); ok {
		return member, true
	}
	if !strings.ContainsAny(value, `<,";(`) || !strings.Contains(value, "@") {
		return "", false
	}
	for _, a := range parseAddresses(value) {
		if member, ok = l.find(addrSpec(a)); ok {
			return member, true
		}
	}
	return "", false
}

func (l *List) find(value string) (member string, ok bool) {
	if len(l.members) == 0 {
		return "", false
	}
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "" {
		return "", false
	}
	if member, ok = l.members[value]; ok {
		return member, true
	}
	domain := "@" + value[strings.LastIndexByte(value, '@')+1:] // of a value without "@", what address :domain compares
	member, ok = l.members[domain]
	return member, ok
}

// sieveURN is what names of lists that begin with a colon are below (RFC 6134 section 2.5).
const sieveURN = "urn:ietf:params:sieve"

// maxListName is how many bytes a list's name may have.
const maxListName = 1000

// CanonicalList returns the name of a list in the one form that stands for it (RFC 6134 section 2.5): an absolute URI, in which
// nothing is percent-encoded that need not be (RFC 3986 section 6.2.2), its scheme in lower case, and the whole of it below
// "urn:ietf:params:sieve", to which a name that begins with a colon belongs: ":AddrBook:%44efault" is
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
	scheme, rest = asciiLower(scheme), decodeUnreserved(rest)
	if below := asciiLower(scheme + ":" + rest); strings.HasPrefix(below, sieveURN+":") {
		return below, below != sieveURN+":"
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

// decodeUnreserved decodes those characters of a valid URI that mean the same when they are not percent-encoded.
func decodeUnreserved(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		v, _ := strconv.ParseUint(s[i+1:i+3], 16, 8) // it is valid
		if c := byte(v); isLetter(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(s[i+1:i+3]))
		}
		i += 2
	}
	return b.String()
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
