package language

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTags(t *testing.T) {
	if got := Tags(); !slices.Equal(got, []string{"i-default", "en", "de"}) {
		t.Errorf("Tags() = %q", got)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		ranges, want string
	}{
		{"de", "de"},
		{"DE", "de"},
		{"DE-IT", "de"}, // RFC 5255 section 3.2
		{"FR-CA EN-CA", "en"},
		{"fr DE-at-1996", "de"},
		{"de-x-rookery", "de"},
		{"MUL", ""},
		{"FR", ""},
		{"d", ""},
		{"deu", ""},
		{"den-DE", ""},
		{"default", "i-default"},
		{"fr *", "i-default"},
		{"I-Default", "i-default"},
		{"i", ""},
		{"-", ""},
		{"--de", ""},
		{"-de", ""},
		{"de-", "de"},
		{"", ""},
	} {
		got, ok := Match(strings.Split(c.ranges, " ")...)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Match(%q) = %q, %t, want %q", c.ranges, got, ok, c.want)
		}
	}
	if _, ok := Match(); ok {
		t.Error("nothing asked for matches")
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ tag, english, want string }{
		{"de", "No such mailbox", "Dieses Postfach gibt es nicht"},
		{"de", "no such mailbox", "Dieses Postfach gibt es nicht"},
		{"de", "nobody has translated this", "nobody has translated this"},
		{"en", "No such mailbox", "No such mailbox"},
		{"i-default", "no such mailbox", "no such mailbox"},
		{"", "No such mailbox", "No such mailbox"},
		{"de", "Expected )", "Hier muss ) stehen"},
		{"de", "", ""},
		{"de", "UID FETCH completed", "UID FETCH ausgeführt"},
		{"en", "UID FETCH completed", "UID FETCH completed"},
	} {
		if got := Text(c.tag, c.english); got != c.want {
			t.Errorf("Text(%q, %q) = %q, want %q", c.tag, c.english, got, c.want)
		}
	}
}

// TestCatalogues: every text can stand in a status line, and is given the same arguments.
func TestCatalogues(t *testing.T) {
	for tag, catalogue := range catalogues {
		for english, text := range catalogue {
			switch {
			case english != sentenceCase(english):
				t.Errorf("%s: %q is not in sentence case", tag, english)
			case text == "", !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '[' }):
				t.Errorf("%s: %q cannot be sent", tag, text)
			case !slices.Equal(verbs(english), verbs(text)):
				t.Errorf("%s: %q takes other arguments than %q", tag, text, english)
			}
		}
	}
}

// verbs returns the letters after each "%".
func verbs(s string) (list []string) {
	for i, part := range strings.Split(s, "%") {
		if i > 0 {
			list = append(list, part[:min(1, len(part))])
		}
	}
	return list
}

func BenchmarkText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Text(Default, "No such mailbox")
		Text("de", "No such mailbox")
	}
}
