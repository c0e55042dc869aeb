package sqlstore

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/metadata"
)

// canonicalKeywords returns keywords separated by spaces in the form they are stored in: sorted case-insensitively, each
// once (the first spelling stays), one space between.
func canonicalKeywords(keywords string) string {
	if !strings.ContainsAny(keywords, " ") {
		return keywords
	}
	return joinKeywords(strings.Fields(keywords))
}

func joinKeywords(ks []string) string {
	slices.SortStableFunc(ks, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(slices.CompactFunc(ks, strings.EqualFold), " ")
}

// validKeywords reports whether the text can be stored by every engine.
func validKeywords(keywords string) bool {
	return utf8.ValidString(keywords) && !strings.ContainsFunc(keywords, func(r rune) bool { return r < ' ' })
}

// applyFlags returns what a STORE makes of a message's flags and keywords.
func applyFlags(op metadata.FlagOp, given metadata.Flags, givenKeywords []string, m *metadata.Message) (metadata.Flags, string) {
	var have []string
	if m.Keywords != "" {
		have = strings.Split(m.Keywords, " ")
	}
	isGiven := func(k string) bool {
		return slices.ContainsFunc(givenKeywords, func(g string) bool { return strings.EqualFold(g, k) })
	}
	switch op {
	case metadata.FlagsAdd:
		if len(givenKeywords) == 0 {
			return m.Flags | given, m.Keywords
		}
		return m.Flags | given, joinKeywords(slices.Concat(have, givenKeywords))
	case metadata.FlagsRemove:
		if len(givenKeywords) == 0 || len(have) == 0 {
			return m.Flags &^ given, m.Keywords
		}
		return m.Flags &^ given, strings.Join(slices.DeleteFunc(have, isGiven), " ")
	default:
		kept := slices.DeleteFunc(have, func(k string) bool { return !isGiven(k) })
		return given, joinKeywords(slices.Concat(kept, givenKeywords))
	}
}
