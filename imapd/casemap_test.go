package imapd

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestCasemap(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""},
		{"aZ_09", "AZ_09"},
		{"é", "E\u0301"},
		{"e\u0301", "E\u0301"},
		{"\u01c6", "D\u017e"[:1] + "z\u030c"}, // ǆ: title case ǅ, which is "Dž"
		{"ﬁ", "fi"},                           // has no title case of one character
		{"ａ", "A"},                            // full width
		{"가", "\u1100\u1161"},
		{"broken\xff\xc3", "BROKEN\xff\xc3"},
	} {
		if got := string(casemap(c[0])); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func FuzzCasemap(f *testing.F) {
	f.Add("Grüße, ＭＩＲ, ǆ")
	f.Fuzz(func(t *testing.T, s string) {
		var want strings.Builder
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				want.WriteByte(s[i])
			} else {
				want.WriteString(norm.NFKD.String(string(unicode.ToTitle(r))))
			}
			i += n
		}
		if got := string(casemap(s)); got != want.String() {
			t.Errorf("%q: %q, want %q", s, got, want.String())
		}
	})
}
