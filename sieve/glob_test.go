package sieve

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// naiveGlob is ":matches" by backtracking, each "*" as short as possible.
func naiveGlob(p, s string) (captured []string, ok bool) {
	switch {
	case p == "":
		return nil, s == ""
	case p[0] == '*':
		for n := 0; n <= len(s); n++ {
			if rest, ok := naiveGlob(p[1:], s[n:]); ok {
				return append([]string{s[:n]}, rest...), true
			}
		}
		return nil, false
	case s == "":
		return nil, false
	case p[0] == '?':
		rest, ok := naiveGlob(p[1:], s[1:])
		return append([]string{s[:1]}, rest...), ok
	case p[0] == '\\' && len(p) > 1:
		p = p[1:]
	}
	if p[0] != s[0] {
		return nil, false
	}
	return naiveGlob(p[1:], s[1:])
}

func TestGlobAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune(`ab*?*\`)), 0, 10, -1).Draw(t, "pattern")
		value := rapid.StringOfN(rapid.SampledFrom([]rune(`aab*?\`)), 0, 14, -1).Draw(t, "value")
		wantCaptured, want := naiveGlob(pattern, value)
		for _, cmp := range []comparator{octet, asciiCasemap, unicodeCasemap} {
			v := newGlobValue(value, cmp)
			v.work = math.MaxInt
			spans, got := compileGlob(pattern, cmp).match(v)
			if got != want {
				t.Fatalf("%v: %q matches %q: %v, want %v", cmp, pattern, value, got, want)
			}
			for i := range wantCaptured {
				if want && v.text(spans[i]) != wantCaptured[i] {
					t.Fatalf("%q on %q: capture %d is %q, want %q", pattern, value, i, v.text(spans[i]), wantCaptured[i])
				}
			}
		}
	})
}

// Characters that fold to several, and several to one, are still one "?".
func TestGlobUnicode(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           string // captures, "-" for no match
	}{
		{"?", "é", "é"},
		{"a?c", "aÉc", "É"},
		{"*é*", "xÉy", "x|y"},
		{"*É?", "aaeé", "-"},
		{"*?é", "aaÉ", "a|a"},
		{"*\u0301*", "xéy", "x|y"}, // inside of a character
		{"???", "日本語", "日|本|語"},
		{"*本?", "日本語", "日|語"},
	} {
		v := newGlobValue(c.value, unicodeCasemap)
		v.work = math.MaxInt
		spans, ok := compileGlob(c.pattern, unicodeCasemap).match(v)
		got := "-"
		if ok {
			var out []string
			for _, s := range spans {
				out = append(out, v.text(s))
			}
			got = strings.Join(out, "|")
		}
		if got != c.want {
			t.Errorf("%q on %q: %q, want %q", c.pattern, c.value, got, c.want)
		}
	}
}

// Patterns that make backtracking explode take time in proportion to the value.
func TestGlobIsLinear(t *testing.T) {
	value := strings.Repeat("a", 1<<20)
	for _, pattern := range []string{strings.Repeat("*a", 50) + "b", strings.Repeat("*a?", 50) + "*b", "*a?a?a?b*", strings.Repeat("*", 1000) + "b"} {
		v := newGlobValue(value, octet)
		const budget = 64 << 20
		v.work = budget
		if _, ok := compileGlob(pattern, octet).match(v); ok {
			t.Errorf("%.20q matched", pattern)
		}
		if used := budget - v.work; used > 16*len(value) {
			t.Errorf("%.20q looked at %d bytes", pattern, used)
		}
	}
}

func TestFoldUnicodeOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		folded, offsets := foldUnicode(s, true)
		if plain, _ := foldUnicode(s, false); plain != folded {
			t.Fatalf("%q and %q", plain, folded)
		}
		if len(offsets) != len(folded)+1 || offsets[len(folded)] != len(s) {
			t.Fatalf("%d offsets for %d bytes", len(offsets), len(folded))
		}
	})
}

func TestCompareNumeric(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1", "2", -1}, {"10", "9", 1}, {"007", "7x", 0}, {"", "x", 0}, {"x", "9", 1}, {"9", "", -1},
		{"99999999999999999999999999", "100000000000000000000000000", -1}, {"0", "00", 0}, {"-1", "5", 1},
	} {
		if got := compareNumeric(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
