package wire

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUTF7(t *testing.T) {
	for _, c := range []struct{ name, encoded string }{
		{"INBOX", "INBOX"},
		{"R&D", "R&-D"},
		{"&", "&-"},
		{"", ""},
		{"Entwürfe", "Entw&APw-rfe"},
		// RFC 3501 section 5.1.3.
		{"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
		{"😀", "&2D3eAA-"},
		{"a\tb", "a&AAk-b"},
		{"ü&ü", "&APw-&-&APw-"},
	} {
		if got := EncodeUTF7(c.name); got != c.encoded {
			t.Errorf("EncodeUTF7(%q) = %q, want %q", c.name, got, c.encoded)
		}
		if got, ok := DecodeUTF7(c.encoded); !ok || got != c.name {
			t.Errorf("DecodeUTF7(%q) = %q, %v", c.encoded, got, ok)
		}
		if !CanonicalUTF7(c.encoded) {
			t.Errorf("%q is not canonical", c.encoded)
		}
	}
}

func TestUTF7Tolerated(t *testing.T) {
	for encoded, name := range map[string]string{
		"&AGE-":         "a",  // needs no base64
		"&APw-&APw-":    "üü", // two runs
		"&AGEAYgBj-":    "abc",
		"&U,BTFw-&ZeU-": "台北日", // lacks nothing but is two runs
	} {
		got, ok := DecodeUTF7(encoded)
		if !ok || got != name {
			t.Errorf("DecodeUTF7(%q) = %q, %v, want %q", encoded, got, ok, name)
		}
		if CanonicalUTF7(encoded) {
			t.Errorf("%q is canonical", encoded)
		}
	}
}

func TestUTF7Refused(t *testing.T) {
	for _, s := range []string{
		"&", "a&", "R&D", "&APw", "&A-", "&AP-", "&APx-", "&APwA-", "&====-", "&2D0-", "&3gA-", "&2D0AYQ-", "&AAA-", "&AP/-", "ü", "a\x7f", "a\x01",
		"&APw-&", "& -",
	} {
		if got, ok := DecodeUTF7(s); ok {
			t.Errorf("DecodeUTF7(%q) = %q", s, got)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	for _, s := range []string{"Entw&APw-rfe", "R&-D", "&2D3eAA-", "&", "&APx-", "台北"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, ok := DecodeUTF7(s); ok {
			if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
				t.Fatalf("DecodeUTF7(%q) = %q", s, name)
			}
			if again, ok := DecodeUTF7(EncodeUTF7(name)); !ok || again != name {
				t.Fatalf("%q: %q encoded as %q, decoded as %q", s, name, EncodeUTF7(name), again)
			}
		}
		if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
			if again, ok := DecodeUTF7(EncodeUTF7(s)); !ok || again != s {
				t.Fatalf("%q encoded as %q, decoded as %q", s, EncodeUTF7(s), again)
			}
		}
	})
}
