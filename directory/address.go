package directory

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/mailerr"
)

// Bounds of an address in bytes, after normalisation. RFC 5321 section 4.5.3.1 asks for a local part of 64 at least; bounce
// addresses with a detail are longer in practice, so there is room for them. A domain is bounded by the DNS.
const (
	maxLocalPart  = 255
	maxAddress    = 512
	maxRawAddress = 1024 // before normalisation: bounds the work
)

// Address is a normalised address. Two spellings of one address give equal values.
type Address struct {
	Local  string // without quotes, NFC; lower case unless its domain keeps case
	Domain string // U-labels in lower case, or a literal in brackets
}

// domains maps a domain to its one form: RFC 5891 lookup with the mapping of UTS 46, so case and width do not matter.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// ParseAddress reads an address as a person or a configuration writes it: a dot-string or a quoted string, "@", and a domain
// (RFC 5321 section 4.1.2, RFC 6531 section 3.3). Without "@" it is a local part in defaultDomain. Invalid.
func ParseAddress(s, defaultDomain string) (Address, error) {
	a, err := parseKeepingCase(s, defaultDomain)
	return a.fold(), err
}

// parseKeepingCase is ParseAddress but for the case of the local part.
func parseKeepingCase(s, defaultDomain string) (Address, error) {
	local, domain, err := splitAddress(s, defaultDomain)
	if err != nil {
		return Address{}, err
	}
	if quoted, ok := unquote(local); ok {
		return newAddress(s, quoted, domain)
	}
	if !isDotString(local) {
		return Address{}, invalidAddress(s, "the part before @ has characters that only a quoted string may have")
	}
	return newAddress(s, local, domain)
}

// parseRecipient is parseKeepingCase for what comes off the wire: SMTP libraries hand over a quoted local part without its quotes,
// so one that would need them is taken as it is.
func parseRecipient(s, defaultDomain string) (Address, error) {
	local, domain, err := splitAddress(s, defaultDomain)
	if err != nil {
		return Address{}, err
	}
	if quoted, ok := unquote(local); ok {
		local = quoted
	}
	return newAddress(s, local, domain)
}

// String returns the address in its one form, the local part quoted if it must be.
func (a Address) String() string {
	if a == (Address{}) {
		return ""
	}
	if isDotString(a.Local) {
		return a.Local + "@" + a.Domain
	}
	return quote(a.Local) + "@" + a.Domain
}

// detail splits "user+detail" at the first delimiter. ok is false when there is none or nothing is left of it.
func (a Address) detail(delimiter string) (base Address, detail string, ok bool) {
	if delimiter == "" {
		return a, "", false
	}
	i := strings.Index(a.Local, delimiter)
	if i <= 0 {
		return a, "", false
	}
	return Address{a.Local[:i], a.Domain}, a.Local[i+len(delimiter):], true
}

// ParseDomain returns a domain's one form. Invalid.
func ParseDomain(s string) (string, error) {
	if len(s) > maxRawAddress {
		return "", mailerr.New("directory.ParseDomain", mailerr.Invalid, "the domain is too long")
	}
	if strings.HasPrefix(s, "[") {
		return parseLiteral(s)
	}
	ascii, err := domains.ToASCII(s)
	if err == nil && strings.HasSuffix(ascii, ".") {
		err = errors.New("a domain of mail does not end with a dot")
	}
	if err == nil {
		var u string
		if u, err = domains.ToUnicode(ascii); err == nil && u != "" {
			return u, nil
		}
	}
	return "", &mailerr.Error{Op: "directory.ParseDomain", Kind: mailerr.Invalid, ClientText: "not a domain name", Err: err}
}

// parseLiteral reads an address literal (RFC 5321 section 4.1.3).
func parseLiteral(s string) (string, error) {
	invalid := mailerr.New("directory.ParseDomain", mailerr.Invalid, "not an address literal")
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return "", invalid
	}
	tag := ""
	if len(inner) > 5 && strings.EqualFold(inner[:5], "ipv6:") {
		tag, inner = "ipv6:", inner[5:]
	}
	ip, err := netip.ParseAddr(inner)
	if err != nil || ip.Zone() != "" || ip.Is4() != (tag == "") {
		return "", invalid
	}
	return "[" + tag + ip.String() + "]", nil
}

func splitAddress(s, defaultDomain string) (local, domain string, err error) {
	switch {
	case len(s) > maxRawAddress:
		return "", "", invalidAddress(s, "it is too long")
	case !utf8.ValidString(s):
		return "", "", invalidAddress(s, "it is not UTF-8")
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 || strings.HasSuffix(s, `"`) { // an "@" within quotes is no separator
		if defaultDomain == "" {
			return "", "", invalidAddress(s, "it has no domain")
		}
		return s, defaultDomain, nil
	}
	if i == len(s)-1 {
		return "", "", invalidAddress(s, "it has no domain")
	}
	return s[:i], s[i+1:], nil
}

func newAddress(s, local, domain string) (Address, error) {
	domain, err := ParseDomain(domain)
	if err != nil {
		return Address{}, invalidAddress(s, mailerr.ClientText(err))
	}
	a := Address{norm.NFC.String(local), domain}
	switch {
	case a.Local == "":
		return Address{}, invalidAddress(s, "nothing stands before the domain")
	case !isPrintable(a.Local):
		return Address{}, invalidAddress(s, "it has control characters")
	case a.tooLong() || a.fold().tooLong():
		return Address{}, invalidAddress(s, "it is too long")
	}
	return a, nil
}

// fold returns the address with its local part in lower case: the one form it has in most domains.
func (a Address) fold() Address {
	// Lower case may undo NFC and the other way round; the second round settles it.
	local := a.Local
	for range 2 {
		local = strings.ToLower(norm.NFC.String(local))
	}
	return Address{norm.NFC.String(local), a.Domain}
}

func (a Address) tooLong() bool { return len(a.Local) > maxLocalPart || len(a.String()) > maxAddress }

// domainOf returns the domain of a normalised address.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func invalidAddress(s, why string) error {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "..."
	}
	return mailerr.New("directory.ParseAddress", mailerr.Invalid, strings.ToValidUTF8(s, "?")+" is not an address: "+why)
}
