package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/delivery"
	"github.com/rookery-mail/rookery/directory"
	"github.com/rookery-mail/rookery/outbound"
)

func nonEmpty(s string) string {
	if s == "" {
		return "a path"
	}
	return ""
}

func domain(s string) string {
	if _, err := directory.ParseDomain(s); err != nil {
		return "a domain name"
	}
	return ""
}

func hostname(s string) string {
	if s != "" && domain(s) != "" {
		return "a host name"
	}
	return ""
}

func delimiter(s string) string {
	if utf8.RuneCountInString(s) > 1 || strings.ContainsAny(s, "@\"\\ \t\r\n") {
		return `one character, such as "+"`
	}
	return ""
}

func listenTCP(s string) string {
	const expected = `host:port or :port, such as "127.0.0.1:1143", or "" to switch the listener off`
	if s == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return expected
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return expected
	}
	if host != "" && net.ParseIP(host) == nil && hostname(host) != "" {
		return expected
	}
	return ""
}

func listenAny(s string) string {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !strings.HasPrefix(path, "/") || len(path) > 100 {
			return "unix: and an absolute path of at most 100 bytes"
		}
		return ""
	}
	if expected := listenTCP(s); expected != "" {
		return strings.Replace(expected, ", or \"\"", ", unix:/PATH, or \"\"", 1)
	}
	return ""
}

func readable(s string) string {
	if s == "" {
		return ""
	}
	f, err := os.Open(s)
	if err != nil {
		return "a file that can be read: " + err.Error()
	}
	_ = f.Close()
	return ""
}

func metadataURL(s string) string {
	const expected = "sqlite:PATH, postgresql://USER:PASSWORD@HOST:PORT/DATABASE or cockroachdb://USER:PASSWORD@HOST:PORT/DATABASE"
	if s == "" {
		return ""
	}
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		if path == "" {
			return expected
		}
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "postgresql" && u.Scheme != "postgres" && u.Scheme != "cockroachdb" {
		return expected
	}
	return ""
}

func blobsURL(s string) string {
	const expected = "file:PATH or s3://KEY:SECRET@HOST:PORT/BUCKET?tls=false&region=REGION (special characters as %XX)"
	if s == "" {
		return ""
	}
	if path, ok := strings.CutPrefix(s, "file:"); ok {
		if path == "" {
			return expected
		}
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "s3" || u.Host == "" || len(strings.Trim(u.Path, "/")) == 0 {
		return expected
	}
	return ""
}

func notifyURL(s string) string {
	const expected = "local: or redis://HOST:PORT/DB"
	if s == "local:" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
		return expected
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if n, err := strconv.Atoi(db); err != nil || n < 0 {
			return expected
		}
	}
	return ""
}

// network reads a network in CIDR notation, or one address.
func network(s string) (n netip.Prefix, expected string) {
	n, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return n, `networks and addresses, such as "10.0.0.0/8" or "2001:db8::1"`
		}
		n = netip.PrefixFrom(a, a.BitLen())
	}
	return n.Masked(), ""
}

func proxied(s string) (protocol, expected string) {
	protocols := []string{"imap", "imaps", "pop3", "pop3s", "managesieve", "lmtp", "lmtps"}
	if !slices.Contains(protocols, s) {
		return "", `listeners: "` + strings.Join(protocols, `", "`) + `"`
	}
	return s, ""
}

func submissionURL(s string) string {
	if s == "" {
		return ""
	}
	if _, err := outbound.ParseSubmission(s); err != nil {
		return "smtp://USER:PASSWORD@HOST:PORT?tls=starttls (special characters as %XX), and no password without TLS"
	}
	return ""
}

func fieldName(s string) string {
	if s == "" || len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return "the name of a header field"
	}
	return ""
}

func anAddress(s string) (address, expected string) {
	if at := strings.LastIndexByte(s, '@'); at == 0 || at == len(s)-1 || s == "" {
		return "", `addresses of accounts, such as "postmaster@example.org"`
	}
	return s, ""
}

func aURI(s string) (expected string) {
	u, err := url.Parse(s)
	if s != "" && (err != nil || u.Scheme == "" || len(s) > 1000 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })) {
		return `a URI, such as "mailto:postmaster@example.org", or ""`
	}
	return ""
}

func percent(s string) (n int64, expected string) {
	n, err := strconv.ParseInt(strings.TrimSuffix(s, "%"), 10, 32)
	if err != nil || n < 1 || n > 1000 {
		return 0, `percents, such as "80%"`
	}
	return n, ""
}

func accountName(s string) (name, expected string) {
	if local, domain, ok := strings.Cut(s, "@"); !ok || local == "" || domain == "" || strings.ContainsAny(s, " \t\r\n") {
		return "", `addresses such as "submit@example.org"`
	}
	return strings.ToLower(s), ""
}

func eventRule(s string) (r delivery.Rule, expected string) {
	r, ok := delivery.ParseRule(s)
	if !ok {
		return r, `rules such as "\\Junk=SCRIPT" or "INBOX>Work=SCRIPT"`
	}
	return r, ""
}

func aList(s string) (l delivery.List, expected string) {
	l, ok := delivery.ParseList(s)
	if ok && l.Address != "" {
		_, expected = anAddress(l.Address)
		ok = expected == ""
	}
	if !ok {
		return l, `lists such as "tag:example.org,2026:vips=/etc/rookery/vips" or "tag:example.org,2026:staff=staff@example.org"`
	}
	return l, ""
}

func verdict(s string) (v delivery.Verdict, expected string) {
	v, ok := delivery.ParseVerdict(s)
	if !ok {
		return v, `verdicts such as "X-Virus-Status: infected*=5"`
	}
	return v, ""
}

// defaultVerdicts returns delivery.DefaultVerdicts as TOML.
func defaultVerdicts() string {
	words := make([]string, len(delivery.DefaultVerdicts))
	for i, v := range delivery.DefaultVerdicts {
		words[i] = strconv.Quote(v.String())
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func httpURL(s string) string {
	if s == "" {
		return ""
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "a URL such as http://127.0.0.1:11334"
	}
	return ""
}

func readRspamdPassword(c *Config, v value) string {
	return text(func(c *Config) *string { return &c.Spam.RspamdPassword }, func(s string) string {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "a password without control characters"
		}
		return ""
	})(c, v)
}
