package imapd

import (
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
)

// pattern is a compiled LIST pattern: "*" stands for anything, "%" for anything but the delimiter. The first level of a name
// that is INBOX matches in any case.
type pattern struct {
	text     string // runs of wildcards are one wildcard
	literals int    // characters that are not wildcards
	wild     bool
	now      []bool // now[i]: text[:i] matches what has been read of a name
}

func compilePattern(text string) *pattern {
	p := &pattern{}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '*' && c != '%' {
			p.literals++
			b.WriteByte(c)
			continue
		}
		for i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '%') {
			i++
			if text[i] == '*' {
				c = '*'
			}
		}
		p.wild = true
		b.WriteByte(c)
	}
	p.text = b.String()
	return p
}

// match reports whether a name matches, in time proportional to the lengths of name and pattern multiplied.
func (p *pattern) match(name string) bool {
	if p.literals > len(name) || !p.wild && len(name) > len(p.text) {
		return false
	}
	fold := 0
	if name == "INBOX" || strings.HasPrefix(name, "INBOX"+string(mailstore.Delimiter)) {
		fold = len("INBOX")
	}
	if p.text == "*" {
		return true
	}
	if p.now == nil {
		p.now = make([]bool, len(p.text)+1)
	}
	// now[j]: text[:j] matches what was read of the name. A wildcard at j that takes c leaves now[j] as it is; one that takes
	// nothing makes now[j+1] follow from now[j].
	now := p.now
	clear(now)
	now[0] = true
	p.skipWildcards(now)
	for i := range len(name) {
		c := name[i]
		for j := len(p.text); j >= 0; j-- {
			on := false
			if j < len(p.text) && now[j] {
				t := p.text[j]
				on = t == '*' || t == '%' && c != mailstore.Delimiter
			}
			if j > 0 && now[j-1] {
				t := p.text[j-1]
				on = on || t != '*' && t != '%' && (t == c || i < fold && lowerASCII(t) == lowerASCII(c))
			}
			now[j] = on
		}
		p.skipWildcards(now)
	}
	return now[len(p.text)]
}

// skipWildcards lets wildcards match nothing.
func (p *pattern) skipWildcards(now []bool) {
	for j := range len(p.text) {
		if now[j] && (p.text[j] == '*' || p.text[j] == '%') {
			now[j+1] = true
		}
	}
}
