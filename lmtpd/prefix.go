package lmtpd

import (
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// prefix returns the header lines of one copy: Return-Path (RFC 5321 section 4.4), Delivered-To, Received with the protocol
// names of RFC 3848 and RFC 6531 section 4.3.
func (s *session) prefix(address, path, id string, now time.Time) []byte {
	protocol := "LMTP"
	if s.utf8 {
		protocol = "UTF8LMTP"
	}
	if s.conn.encrypted() {
		protocol += "S"
	}
	var b strings.Builder
	b.WriteString("Return-Path: <" + headerSafe(formatPath(s.from)) + ">\r\n")
	b.WriteString("Delivered-To: " + headerSafe(address) + "\r\n")
	b.WriteString("Received: from " + s.clientName() + "\r\n")
	b.WriteString("\tby " + domainSafe(s.srv.cfg.Hostname) + " (Rookery) with " + protocol + " id " + domainSafe(id) + "\r\n")
	b.WriteString(s.forwardedFor())
	b.WriteString("\tfor <" + headerSafe(formatPath(path)) + ">; " + now.Format("Mon, 02 Jan 2006 15:04:05 -0700") + "\r\n")
	return []byte(b.String())
}

// clientName returns what the client calls itself and, in parentheses, what is known of it.
func (s *session) clientName() string {
	helo, name := s.smtp.Hostname(), ""
	if c := s.conn.client; c != nil {
		if c["HELO"] != "" {
			helo = c["HELO"]
		}
		if c["NAME"] != "" {
			name = domainSafe(c["NAME"]) + " "
		}
	}
	return domainSafe(helo) + " (" + name + peerName(s.conn.remote) + ")"
}

// forwardedFor returns a line with what the client has said by XFORWARD about where the message came from, as a comment; the
// client's own Received line says it too, when it is to be believed.
func (s *session) forwardedFor() string {
	f := s.conn.forwarded
	if len(f) == 0 {
		return ""
	}
	var words []string
	if !strings.EqualFold(f["SOURCE"], "LOCAL") && (f["HELO"] != "" || f["NAME"] != "" || f["ADDR"] != "") {
		from := make([]string, 0, 2)
		if f["NAME"] != "" {
			from = append(from, domainSafe(f["NAME"]))
		}
		if a := f.literal(); a != "" {
			from = append(from, a)
		}
		words = append(words, "from "+domainSafe(f["HELO"])+" ("+strings.Join(from, " ")+")")
	}
	if f["IDENT"] != "" {
		words = append(words, "id "+domainSafe(f["IDENT"]))
	}
	if len(words) == 0 {
		return ""
	}
	return "\t(forwarded " + strings.Join(words, " ") + ")\r\n"
}

// headerSafe makes a string fit for the middle of a header line, whatever it was: session and directory let nothing through
// that this changes, but a forged header line would be too high a price for a fault there.
func headerSafe(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?")
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// domainSafe makes what a client calls itself fit for Received: a domain, an address literal, or something that looks like it.
func domainSafe(s string) string {
	if len(s) > 255 {
		s = s[:255]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r >= 0x80 && r != utf8.RuneError,
			strings.ContainsRune("-._:[]", r):
			return r
		}
		return '?'
	}, s)
	if s == "" {
		return "unknown"
	}
	return s
}

// peerName is a client's address as an address literal (RFC 5321 section 4.1.3), "local" for a unix socket.
func peerName(a net.Addr) string {
	if a == nil {
		return "unknown"
	}
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return "local"
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return "unknown"
	}
	return literal(ip)
}

// literal writes an address as an address literal.
func literal(ip netip.Addr) string {
	if ip = ip.Unmap(); ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + ip.WithZone("").String() + "]"
}

// remoteIP is a client's address for scripts, "" for a unix socket.
func remoteIP(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return ""
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	return ip.Unmap().WithZone("").String()
}
