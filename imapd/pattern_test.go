package imapd

import (
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b/c", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"a/%", "a/b", true},
		{"a/%", "a/b/c", false},
		{"a/%", "a", false},
		{"a*", "a", true},
		{"a*c", "a/b/c", true},
		{"a%c", "a/b/c", false},
		{"%/%", "a/b", true},
		{"%/%", "a/b/c", false},
		{"*/%", "a/b/c", true},
		{"%*", "a/b", true},
		{"*%", "a/b", true},
		{"%%", "a", true},
		{"%%", "a/b", false},
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "b", false},
		{"a", "ab", false},
		{"ab", "a", false},
		{"*a*b*c*", "xxaxxbxxcxx", true},
		{"*a*b*c*", "xxaxxcxxbxx", false},
		{"%a%b", "xab", true},
		{"%ab%", "aab", true},
		{"a*%b", "a/x/yb", true},
		{"inbox", "INBOX", true},
		{"inBox/%", "INBOX/Old", true},
		{"inbox/old", "INBOX/Old", false},
		{"In*", "INBOX", true},
		{"inboxes", "INBOXES", false},
		{"*box", "INBOX", true},
		{"ü*", "übung", true},
	} {
		if got := compilePattern(c.pattern).match(c.name); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

// The worst patterns for a matcher that backtracks.
func TestPatternIsNotExponential(t *testing.T) {
	name := strings.Repeat("a/", 500)
	start := time.Now()
	for _, p := range []string{strings.Repeat("*a", 400) + "b", strings.Repeat("%/", 400) + "*b", strings.Repeat("*%", 20_000) + "b"} {
		if compilePattern(p).match(name) {
			t.Errorf("%.20q matches", p)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// slowMatch is the definition.
func slowMatch(p, s string) bool {
	if p == "" {
		return s == ""
	}
	switch p[0] {
	case '*', '%':
		return slowMatch(p[1:], s) || s != "" && (p[0] == '*' || s[0] != '/') && slowMatch(p, s[1:])
	}
	return s != "" && s[0] == p[0] && slowMatch(p[1:], s[1:])
}

func FuzzPattern(f *testing.F) {
	f.Add("%/a*", "b/a/c")
	f.Add("*%*a", "/a")
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 12 || len(s) > 12 || strings.HasPrefix(s, "INBOX") {
			return
		}
		if got, want := compilePattern(p).match(s), slowMatch(p, s); got != want {
			t.Errorf("%q matches %q: %v, want %v", p, s, got, want)
		}
	})
}
