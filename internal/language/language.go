package language

import (
	"fmt"
	"slices"
	"strings"
)

// Default is the language before another one is chosen: English in US-ASCII (RFC 2277 section 4.5).
const Default = "i-default"

// catalogues has a catalogue for each language but English: English text, in sentence case, to the text in that language in
// UTF-8. No text has control characters or "[".
var catalogues = map[string]map[string]string{
	"de": german,
}

// Tags returns the language tags that can be chosen, Default first.
func Tags() []string {
	tags := []string{Default, "en"}
	for tag := range catalogues {
		tags = append(tags, tag)
	}
	slices.Sort(tags[2:])
	return tags
}

// Match chooses a language for language ranges, the most wanted first: for each by lookup (RFC 4647 section 3.4), "de-AT-1996"
// then "de-AT" then "de". "*" and "default" (RFC 5255 section 3.2) are Default. ok is false when there is none of them.
func Match(ranges ...string) (tag string, ok bool) {
	tags := Tags()
	for _, r := range ranges {
		r = strings.ToLower(r)
		if r == "*" || r == "default" {
			return Default, true
		}
		for r != "" {
			if slices.Contains(tags, r) {
				return r, true
			}
			r = shorter(r)
		}
	}
	return "", false
}

// shorter removes the last subtag of a range, and a single letter before it, which means nothing without what follows; of a range
// of one subtag nothing is left.
func shorter(r string) string {
	r = r[:max(strings.LastIndexByte(r, '-'), 0)]
	if len(r) >= 2 && r[len(r)-2] == '-' {
		r = r[:len(r)-2]
	}
	return r
}

// Text returns an English text, or format, in the language with a tag; english itself where there is no translation. Whether english
// begins with a capital letter makes no difference to what is found. "FETCH completed" is known for every name of a command, "Expected )" for every
// character.
func Text(tag, english string) string {
	if catalogue, ok := catalogues[tag]; ok {
		if text, ok := lookup(catalogue, english); ok {
			return text
		}
	}
	return english
}

func lookup(catalogue map[string]string, english string) (text string, ok bool) {
	if text, ok = catalogue[sentenceCase(english)]; ok {
		return text, true
	}
	if name, ok := strings.CutSuffix(english, " completed"); ok && name == strings.ToUpper(name) {
		return name + " " + catalogue["Completed"], true
	}
	if char, ok := strings.CutPrefix(english, "Expected "); ok && len(char) == 1 {
		return fmt.Sprintf(catalogue["Expected %s"], char), true
	}
	return "", false
}

// Translated reports whether every language has the text.
func Translated(english string) bool {
	for _, catalogue := range catalogues {
		if _, ok := lookup(catalogue, english); !ok {
			return false
		}
	}
	return true
}

func sentenceCase(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
