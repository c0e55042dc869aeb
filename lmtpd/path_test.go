package lmtpd

import (
	"strings"
	"testing"
)

func TestQualify(t *testing.T) {
	for _, c := range []struct{ verb, in, out string }{
		{"RCPT", "RCPT TO:<postmaster>\r\n", "RCPT TO:<postmaster@\x01>\r\n"},
		{"RCPT", "rcpt to: <Postmaster> NOTIFY=NEVER\r\n", "rcpt to: <Postmaster@\x01> NOTIFY=NEVER\r\n"},
		{"RCPT", "RCPT TO:user\n", "RCPT TO:user@\x01\n"},
		{"RCPT", "RCPT TO:<user@example.org>\r\n", "RCPT TO:<user@example.org>\r\n"},
		{"RCPT", "RCPT TO:<@a.example,@b.example:user@c.example>\r\n", "RCPT TO:<@a.example,@b.example:user@c.example>\r\n"},
		{"RCPT", "RCPT TO:<@a.example:user>\r\n", "RCPT TO:<@a.example:user@\x01>\r\n"},
		{"RCPT", "RCPT TO:<\"a b\">\r\n", "RCPT TO:<\"a b\"@\x01>\r\n"},
		{"RCPT", "RCPT TO:<\"a@\\\"b>\"@example.org>\r\n", "RCPT TO:<\"a@\\\"b>\"@example.org>\r\n"},
		{"RCPT", "RCPT TO:<>\r\n", "RCPT TO:<>\r\n"},
		{"RCPT", "RCPT FROM:<user>\r\n", "RCPT FROM:<user>\r\n"},
		{"MAIL", "MAIL FROM:<>\r\n", "MAIL FROM:<>\r\n"},
		{"MAIL", "MAIL FROM:<root> SIZE=12\r\n", "MAIL FROM:<root@\x01> SIZE=12\r\n"},
		{"MAIL", "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n", "MAIL FROM:<a@b> SIZE=4294967295\r\n"},
		{"MAIL", "MAIL FROM:<a@b> size=4294967296 BODY=8BITMIME\r\n", "MAIL FROM:<a@b> size=4294967295 BODY=8BITMIME\r\n"},
		{"MAIL", "MAIL FROM:<a@b> SIZE=0000000000000000000012\r\n", "MAIL FROM:<a@b> SIZE=12\r\n"},
	} {
		if got := string(qualify([]byte(c.in), c.verb)); got != c.out {
			t.Errorf("qualify(%q) = %q, want %q", c.in, got, c.out)
		}
	}
}

func TestUnqualify(t *testing.T) {
	for in, want := range map[string]string{
		"postmaster@\x01":  "postmaster",
		"user@example.org": "user@example.org",
		"a@b@\x01":         `"a@b"`,
		"":                 "",
	} {
		if got := unqualify(in); got != want {
			t.Errorf("unqualify(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFormatPath(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"user@example.org":  "user@example.org",
		"a b@example.org":   `"a b"@example.org`,
		"a\"\\@example.org": `"a\"\\"@example.org`,
		"a@b@example.org":   `"a@b"@example.org`,
		".a@example.org":    `".a"@example.org`,
		"jürgen@exämple.de": "jürgen@exämple.de",
		"postmaster":        "postmaster",
	} {
		if got := formatPath(in); got != want {
			t.Errorf("formatPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzQualify(f *testing.F) {
	f.Add("RCPT TO:<postmaster>\r\n")
	f.Add("MAIL FROM:<\"a\\\"@b> SIZE=99999999999\r\n")
	f.Fuzz(func(t *testing.T, line string) {
		for _, verb := range []string{"MAIL", "RCPT"} {
			if !strings.HasPrefix(strings.ToUpper(line), verb) || !strings.HasSuffix(line, "\n") {
				continue
			}
			out := qualify([]byte(line), verb)
			if strings.Count(string(out), noDomain) > strings.Count(line, noDomain)+1 || !strings.HasSuffix(string(out), "\n") {
				t.Errorf("qualify(%q) = %q", line, out)
			}
		}
	})
}
