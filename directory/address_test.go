package directory

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestParseAddress(t *testing.T) {
	for _, tc := range []struct{ in, want string }{ // want "": Invalid
		{"User@Example.ORG", "user@example.org"},
		{"user1", "user1@localhost"},
		{"postmaster", "postmaster@localhost"},
		{"a.b-c_d+e@x.y", "a.b-c_d+e@x.y"},
		{`"a b"@x.y`, `"a b"@x.y`},
		{`"A.B"@x.y`, `a.b@x.y`},
		{`"a\"b\\c"@x.y`, `"a\"b\\c"@x.y`},
		{`"a@b"@x.y`, `"a@b"@x.y`},
		{`"a@b"`, `"a@b"@localhost`},
		{"JÖRG@exämple.org", "jörg@exämple.org"},
		{"jo\u0308rg@example.org", "j\u00f6rg@example.org"}, // NFD
		{"u@xn--exmple-cua.org", "u@exämple.org"},
		{"u@XN--EXMPLE-CUA.ORG", "u@exämple.org"},
		{"u@EXÄMPLE.org", "u@exämple.org"},
		{"u@ｅｘａｍｐｌｅ.org", "u@example.org"},
		{"用户@例え.jp", "用户@例え.jp"},
		{"u@[127.0.0.1]", "u@[127.0.0.1]"},
		{"u@[IPv6:2001:DB8:0::1]", "u@[ipv6:2001:db8::1]"},

		{"", ""}, {"@", ""}, {"@x.y", ""}, {"a@", ""}, {`""@x.y`, ""}, {`""`, ""},
		{"a..b@x.y", ""}, {".a@x.y", ""}, {"a.@x.y", ""}, {"a b@x.y", ""}, {"a@b@x.y", ""}, {"<a@x.y>", ""}, {"a@x.y, b@x.y", ""},
		{`"a@x.y`, ""}, {`"a"b"@x.y`, ""}, {`"a\"@x.y`, ""},
		{"a@x y", ""}, {"a@-x.y", ""}, {"a@x..y", ""}, {"a@.x", ""}, {"a@x.", ""}, {"a@x_y.z", ""}, {"a@xn--a.org", ""},
		{"a@" + strings.Repeat("x", 64) + ".y", ""}, {"a@" + strings.Repeat("x.", 130) + "y", ""},
		{"a@[127.0.0.1", ""}, {"a@[1.2.3]", ""}, {"a@[2001:db8::1]", ""}, {"a@[IPv6:1.2.3.4]", ""}, {"a@[IPv6:fe80::1%eth0]", ""}, {"a@[]", ""},
		{"a\x00b@x.y", ""}, {"a\r\nb@x.y", ""}, {"\"a\tb\"@x.y", ""}, {"a\u0085@x.y", ""}, {"a\u2028b@x.y", ""}, {"a\u202eb@x.y", ""}, {"a\xff@x.y", ""},
		{strings.Repeat("a", 255) + "@x.y", strings.Repeat("a", 255) + "@x.y"},
		{strings.Repeat("a", 256) + "@x.y", ""}, {strings.Repeat("a", 100_000), ""},
	} {
		a, err := ParseAddress(tc.in, "localhost")
		switch {
		case tc.want == "" && err == nil:
			t.Errorf("%q is %q, want it refused", tc.in, a)
		case tc.want == "" && !mailerr.Is(err, mailerr.Invalid):
			t.Errorf("%q: kind %v", tc.in, mailerr.KindOf(err))
		case tc.want == "" && (!utf8.ValidString(mailerr.ClientText(err)) || len(mailerr.ClientText(err)) > 300):
			t.Errorf("%q: text %q", tc.in, mailerr.ClientText(err))
		case tc.want != "" && (err != nil || a.String() != tc.want):
			t.Errorf("%q is %q, %v; want %q", tc.in, a, err, tc.want)
		}
	}
	if _, err := ParseAddress("user", ""); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("no domain at all: %v", err)
	}
}

// SMTP libraries hand over quoted local parts without quotes.
func TestParseRecipientTakesUnquotedContent(t *testing.T) {
	for in, want := range map[string]string{
		"a b@x.y": `"a b"@x.y`, `a"b@x.y`: `"a\"b"@x.y`, "a@b@x.y": `"a@b"@x.y`, "a..b@x.y": `"a..b"@x.y`, `"a b"@x.y`: `"a b"@x.y`, "A@X.Y": "A@x.y",
		"Postmaster": "Postmaster@localhost",
	} {
		a, err := parseRecipient(in, "localhost")
		if err != nil || a.String() != want {
			t.Errorf("%q is %q, %v; want %q", in, a, err, want)
		}
	}
	for _, in := range []string{"", "a\x00@x.y", "@x.y", "a@ "} {
		if a, err := parseRecipient(in, "localhost"); err == nil {
			t.Errorf("%q is %q, want it refused", in, a)
		}
	}
}

func TestDetail(t *testing.T) {
	for _, tc := range []struct {
		local, delimiter, base, detail string
		ok                             bool
	}{
		{"user+x", "+", "user", "x", true}, {"user+x+y", "+", "user", "x+y", true}, {"user+", "+", "user", "", true},
		{"user", "+", "user", "", false}, {"+x", "+", "+x", "", false}, {"user+x", "", "user+x", "", false}, {"user-x", "-", "user", "x", true},
	} {
		base, detail, ok := Address{tc.local, "d"}.detail(tc.delimiter)
		if base != (Address{tc.base, "d"}) || detail != tc.detail || ok != tc.ok {
			t.Errorf("%q by %q: %v %q %v", tc.local, tc.delimiter, base, detail, ok)
		}
	}
}

func checkNormal(t interface{ Errorf(string, ...any) }, in string) {
	for name, parse := range map[string]func(string, string) (Address, error){"strict": ParseAddress, "recipient": parseRecipient} {
		a, err := parse(in, "localhost")
		if err != nil {
			continue
		}
		if a != a.fold() { // it keeps its case
			if again, err := parseKeepingCase(a.String(), "elsewhere.example"); err != nil || again != a {
				t.Errorf("%s: %q is %q, which is %q, %v", name, in, a, again, err)
			}
			a = a.fold()
		}
		s := a.String()
		again, err := ParseAddress(s, "elsewhere.example")
		if err != nil || again != a {
			t.Errorf("%s: %q is %q, which is %q, %v", name, in, s, again, err)
		}
		if len(s) > maxAddress || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n") {
			t.Errorf("%s: %q is %q", name, in, s)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a@b", `"a\"b"@c.d`, "u@[IPv6:::1]", "İ@x", "ΑΣ@ΣΑΣ.gr", "\u1e9e@x", "e\u0301\u0327@x", "u@ß.de", `"a@b"`, "\u212a@x", "u@۱.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkNormal(t, s) })
}

func TestAddressIsNormalInOneStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringN(1, 20, 200).Draw(t, "local")
		domain := rapid.SampledFrom([]string{"x.y", "EXÄMPLE.org", "[127.0.0.1]", "xn--exmple-cua.org"}).Draw(t, "domain")
		checkNormal(t, quote(local)+"@"+domain)
		checkNormal(t, local+"@"+domain)
	})
}

func TestQuotedAndBareAreOneAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[A-Za-z0-9!#$%&'*+/=?^_{|}~-]{1,10}(\.[a-z0-9]{1,5})?`).Draw(t, "local")
		bare, err1 := ParseAddress(local+"@x.y", "")
		quoted, err2 := ParseAddress(quote(local)+"@X.y", "")
		if err1 != nil || err2 != nil || bare != quoted {
			t.Fatalf("%v %v, %v %v", bare, err1, quoted, err2)
		}
	})
}
