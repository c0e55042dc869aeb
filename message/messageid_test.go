package message

import (
	"slices"
	"strings"
	"testing"
)

func TestMessageIDs(t *testing.T) {
	for value, want := range map[string][]string{
		"":      nil,
		"<a@b>": {"a@b"},
		`<"01KF8JCEOCBS0045PS"@xxx.yyy.com> <01KF8JCEOCBS0045PS@xxx.yyy.com>`: {"01KF8JCEOCBS0045PS@xxx.yyy.com", "01KF8JCEOCBS0045PS@xxx.yyy.com"},
		`<"a\"> b"@c>`:                   {`a"> b@c`},
		"<a@b><c@d>,<e@f>":               {"a@b", "c@d", "e@f"},
		"Your mail of <a@b> (x@y)":       {"a@b"},
		"<a@\t b>":                       {"a@b"},
		"<ab> <@> <a@> <@b> <> <a <c@d>": {"c@d"},
		"<a@b":                           nil,
		`<"a@b> <c@d>`:                   nil,
		"a@b":                            nil,
		"<A@b> <a@b>":                    {"A@b", "a@b"},
	} {
		var got []string
		for id := range MessageIDs(value) {
			got = append(got, string(id))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func FuzzMessageIDs(f *testing.F) {
	f.Add(`<"a b"@c> x <d@e><f`)
	f.Add(strings.Repeat(`<"\"`, 1000))
	f.Fuzz(func(t *testing.T, value string) {
		size := 0
		for id := range MessageIDs(value) {
			if len(id) < 3 || !strings.Contains(string(id), "@") {
				t.Errorf("%q is yielded", id)
			}
			size += len(id) + 2
		}
		if size > len(value) {
			t.Errorf("%d bytes of Message IDs in %d", size, len(value))
		}
	})
}
