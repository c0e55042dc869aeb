package imapurl

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// URL is an IMAP URL of a message or a part of one. Everything but Rump and Section is without percent-encoding.
type URL struct {
	Server string // host, or host:port, as written; "" in a relative URL
	User   string // enc-user of an absolute URL; "" for none
	Auth   string // the ;AUTH= of an absolute URL; "" for none

	Mailbox     string // UTF-8; "" only in a relative URL that means the selected mailbox
	Rooted      bool   // Mailbox is a whole name; false in a relative URL without a leading slash
	UIDValidity uint32 // 0: not given
	UID         uint32
	Section     string // of BODY[...], percent-decoded; "" for the whole message
	Partial     *Partial

	Expire time.Time // zero: never
	Access Access    // zero: the URL has no authorization
	// Rump is the URL up to and with the access identifier; Mechanism (upper case) and Token what follows. A rump alone has
	// no Mechanism.
	Rump, Mechanism, Token string
}

// Partial is bytes of what the URL means. Size 0: up to the end.
type Partial struct{ Offset, Size int64 }

// Absolute reports whether the URL names a server.
func (u *URL) Absolute() bool { return u.Server != "" }

// Access says who may use an authorized URL (RFC 4467 section 2.1).
type Access struct {
	Kind AccessKind
	User string // of Submit and User
}

// AccessKind is the kind of an access identifier.
type AccessKind uint8

// The access identifiers.
const (
	NoAccess  AccessKind = iota
	Submit               // "submit+user": a message submission server, for the user
	User                 // "user+user": that user
	AuthUser             // "authuser": everyone who has logged in with a name
	Anonymous            // "anonymous": everyone
)

// ErrInvalid is the error of Parse.
var ErrInvalid = errors.New("imapurl: not an IMAP URL of a message")

// maxLength is the longest URL in bytes.
const maxLength = 8 << 10

// Parse reads an absolute URL (imap://user@host/mailbox/;UID=1) or a relative one: /mailbox/;UID=1, or ;UID=1 in the mailbox that
// is the base. It must have a UID.
func Parse(s string) (*URL, error) {
	if len(s) > maxLength {
		return nil, ErrInvalid
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 {
			return nil, ErrInvalid
		}
	}
	p := &parser{all: s, s: s}
	u := &URL{}
	if !p.url(u) {
		return nil, ErrInvalid
	}
	return u, nil
}

// parser walks over a URL.
type parser struct {
	all string
	s   string // what is left
}

// word reads a keyword without regard to case.
func (p *parser) word(w string) bool {
	if len(p.s) < len(w) || !strings.EqualFold(p.s[:len(w)], w) {
		return false
	}
	p.s = p.s[len(w):]
	return true
}

// until reads up to the first of some characters, or to the end.
func (p *parser) until(stop string) string {
	i := strings.IndexAny(p.s, stop)
	if i < 0 {
		i = len(p.s)
	}
	text := p.s[:i]
	p.s = p.s[i:]
	return text
}

func (p *parser) url(u *URL) bool {
	if p.word("imap://") {
		if !p.server(u) {
			return false
		}
	}
	if u.Absolute() && !strings.HasPrefix(p.s, "/") || strings.HasPrefix(p.s, "//") {
		return false
	}
	u.Rooted = p.word("/")
	if !p.mailbox(u) {
		return false
	}
	if n, ok := p.number(1<<32 - 1); ok && n > 0 {
		u.UID = uint32(n)
	} else {
		return false
	}
	if p.word("/;section=") {
		text := p.until(";") // a slash may be in it: in the name of a field
		if p.s != "" && strings.HasSuffix(text, "/") {
			text, p.s = text[:len(text)-1], p.all[len(p.all)-len(p.s)-1:]
		}
		var ok bool
		if u.Section, ok = decode(text); !ok || u.Section == "" {
			return false
		}
	}
	if p.word("/;partial=") && !p.partial(u) {
		return false
	}
	return p.authorization(u) && p.s == ""
}

// server reads [user[;AUTH=type]@]host[:port].
func (p *parser) server(u *URL) bool {
	authority := p.until("/?")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, auth, given := strings.Cut(authority[:at], ";")
		var ok bool
		if u.User, ok = decode(user); !ok || strings.ContainsAny(user, ":@/?") || user == "" && !given {
			return false
		}
		if given {
			if len(auth) < 6 || !strings.EqualFold(auth[:5], "auth=") {
				return false
			}
			if u.Auth, ok = decode(auth[5:]); !ok {
				return false
			}
		}
		authority = authority[at+1:]
	}
	u.Server = authority
	return hostport(authority)
}

const (
	digits     = "0123456789"
	hexDigits  = digits + "abcdefABCDEF"
	unreserved = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"
	subDelims  = "!$&'()*+,;="
)

// hostport checks host[:port] (RFC 3986 section 3.2.2); the host may not be empty.
func hostport(s string) bool {
	var host, port string
	if inside, ok := strings.CutPrefix(s, "["); ok {
		if host, port, ok = strings.Cut(inside, "]"); !ok || !literal(host) {
			return false
		}
		if port, ok = strings.CutPrefix(port, ":"); !ok && port != "" {
			return false
		}
	} else {
		host, port, _ = strings.Cut(s, ":")
		if _, ok := decode(host); !ok || host == "" || !consists(host, unreserved+subDelims+"%") {
			return false
		}
	}
	return consists(port, digits)
}

// literal checks an IPv6 address or an IPvFuture.
func literal(s string) bool {
	if version, address, ok := strings.Cut(s, "."); ok && len(version) > 1 && (version[0] == 'v' || version[0] == 'V') {
		return consists(version[1:], hexDigits) && address != "" && consists(address, unreserved+subDelims+":")
	}
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is6() && ip.Zone() == ""
}

func consists(s, of string) bool { return strings.Trim(s, of) == "" }

// mailbox reads the mailbox's name, its UIDVALIDITY, and "/;UID=".
func (p *parser) mailbox(u *URL) bool {
	if !u.Rooted && p.word(";uid=") {
		return true
	}
	name := p.until(";?")
	if first, _, _ := strings.Cut(name, "/"); !u.Rooted && strings.Contains(first, ":") {
		return false // another scheme (RFC 3986 section 4.2)
	}
	slash := strings.HasSuffix(name, "/")
	var ok bool
	if u.Mailbox, ok = decode(strings.TrimSuffix(name, "/")); !ok || u.Mailbox == "" {
		return false
	}
	if slash {
		return p.word(";uid=")
	}
	if !p.word(";uidvalidity=") {
		return false
	}
	n, ok := p.number(1<<32 - 1)
	u.UIDValidity = uint32(n)
	return ok && n > 0 && p.word("/;uid=")
}

func (p *parser) partial(u *URL) bool {
	offset, ok := p.number(1<<63 - 1)
	if !ok {
		return false
	}
	u.Partial = &Partial{Offset: offset}
	if p.word(".") {
		u.Partial.Size, ok = p.number(1<<63 - 1)
		return ok && u.Partial.Size > 0
	}
	return true
}

// authorization reads [;EXPIRE=date-time];URLAUTH=access[:mechanism:token], if it is there.
func (p *parser) authorization(u *URL) bool {
	expires := false
	if p.word(";expire=") {
		var err error
		text, ok := decode(p.until(";"))
		if u.Expire, err = time.Parse(time.RFC3339, strings.ToUpper(text)); err != nil || !ok {
			return false
		}
		expires = true
	}
	if !p.word(";urlauth=") {
		return !expires
	}
	if !p.access(&u.Access) {
		return false
	}
	u.Rump = p.all[:len(p.all)-len(p.s)]
	if !p.word(":") {
		return true
	}
	u.Mechanism = strings.ToUpper(p.until(":"))
	if u.Mechanism == "" || !p.word(":") {
		return false
	}
	u.Token = p.until("")
	return len(u.Token) >= 32 && consists(u.Token, hexDigits)
}

func (p *parser) access(a *Access) bool {
	switch {
	case p.word("submit+"):
		a.Kind = Submit
	case p.word("user+"):
		a.Kind = User
	case p.word("authuser"):
		a.Kind = AuthUser
		return true
	case p.word("anonymous"):
		a.Kind = Anonymous
		return true
	default:
		return false
	}
	var ok bool
	a.User, ok = decode(p.until(":;/?"))
	return ok && a.User != ""
}

// number reads a decimal number.
func (p *parser) number(limit int64) (n int64, ok bool) {
	i := 0
	for ; i < len(p.s) && '0' <= p.s[i] && p.s[i] <= '9'; i++ {
		d := int64(p.s[i] - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	p.s = p.s[i:]
	return n, i > 0
}
