package pop3d

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/internal/language"
)

// languageNames are the languages in their own words.
var languageNames = map[string]string{language.Default: "English in ASCII", "en": "English", "de": "Deutsch"}

// lang is LANG (RFC 6856 section 3): without an argument it lists the languages.
func lang(_ context.Context, s *session, args string) error {
	arg := strings.TrimSpace(args)
	if arg == "" {
		s.ok("Languages follow")
		for _, tag := range language.Tags() {
			s.line("%s", strings.TrimSpace(tag+" "+languageNames[tag]))
		}
		s.dot()
		return nil
	}
	if strings.EqualFold(arg, "default") { // a word of IMAP's
		return refusal{"", "That language is not spoken here"}
	}
	tag, ok := language.Match(arg)
	if !ok {
		return refusal{"", "That language is not spoken here"}
	}
	s.language = tag
	s.positive(tag + " " + language.Text(tag, "Language chosen"))
	return nil
}
