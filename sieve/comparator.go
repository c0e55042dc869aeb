package sieve

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// comparator is a collation of RFC 4790.
type comparator uint8

const (
	asciiCasemap comparator = iota
	octet
	asciiNumeric
	unicodeCasemap // RFC 5051
)

// comparators are the names of the registry; asciiCasemap is the default (RFC 5228 section 2.7.3).
var comparators = map[string]comparator{
	"i;ascii-casemap":   asciiCasemap,
	"i;octet":           octet,
	"i;ascii-numeric":   asciiNumeric,
	"i;unicode-casemap": unicodeCasemap,
}

// extension returns the capability that the comparator needs, "" for those that are always there.
func (c comparator) extension() extension {
	switch c {
	case asciiNumeric:
		return extComparatorNumeric
	case unicodeCasemap:
		return extComparatorUnicode
	}
	return ""
}

// fold returns s such that two strings are equal under the comparator if their folds are the same bytes, and ordered as the
// folds are. Not for asciiNumeric.
func (c comparator) fold(s string) string {
	switch c {
	case octet:
		return s
	case unicodeCasemap:
		out, _ := foldUnicode(s, false)
		return out
	default:
		return asciiLower(s)
	}
}

// foldUnicode maps to titlecase and decomposes (RFC 5051 section 2). offsets has for every byte of the result the offset of
// the character in s that it comes from, and the length of s at the end.
func foldUnicode(s string, wantOffsets bool) (folded string, offsets []int) {
	if isASCII(s) && !wantOffsets {
		return strings.ToUpper(s), nil
	}
	out := make([]byte, 0, len(s)+len(s)/4)
	if wantOffsets {
		offsets = make([]int, 0, len(s)+len(s)/4+1)
	}
	var buf [utf8.UTFMax]byte
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		before := len(out)
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, s[i])
		case r < utf8.RuneSelf:
			out = append(out, byte(unicode.ToUpper(r)))
		default:
			out = norm.NFKD.Append(out, buf[:utf8.EncodeRune(buf[:], unicode.ToTitle(r))]...)
		}
		if wantOffsets {
			for range len(out) - before {
				offsets = append(offsets, i)
			}
		}
		i += n
	}
	if wantOffsets {
		offsets = append(offsets, len(s))
	}
	return string(out), offsets
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// compareNumeric orders by the digits that a and b begin with; without any it is infinite (RFC 4790 section 9.1.1). There is
// no limit to the number of digits.
func compareNumeric(a, b string) int {
	x, y := leadingDigits(a), leadingDigits(b)
	switch {
	case x == "" && y == "":
		return 0
	case x == "":
		return 1
	case y == "":
		return -1
	}
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	if len(x) != len(y) {
		if len(x) < len(y) {
			return -1
		}
		return 1
	}
	return strings.Compare(x, y)
}

func leadingDigits(s string) string {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[:n]
}

// shortNumber returns a number that compares as s does, without zeros before it and without what stands behind it.
func shortNumber(s string) string {
	digits := leadingDigits(s)
	short := strings.TrimLeft(digits, "0")
	if short == "" && digits != "" {
		return "0"
	}
	return short
}

// clampInt returns n as an int.
func clampInt(n int64) int { return int(min(n, math.MaxInt32)) }
