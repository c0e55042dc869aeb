package mailstore

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/mailerr"
)

// Delimiter separates levels of mailbox names.
const Delimiter = '/'

const (
	delimiter      = string(Delimiter)
	inboxName      = "INBOX"
	maxNameBytes   = 1000
	maxNameLevels  = 100
	inboxWithChild = inboxName + delimiter
)

// isInbox reports whether a name means INBOX.
func isInbox(name string) bool { return name == "" || strings.EqualFold(name, inboxName) }

// canonicalName returns the name in its one spelling: in NFC (RFC 9051 section 5.1), with INBOX in capitals, also as the first level.
// Invalid for a name that no mailbox may have.
func canonicalName(name string) (string, error) {
	name = norm.NFC.String(name)
	if len(name) >= len(inboxName) && strings.EqualFold(name[:len(inboxName)], inboxName) &&
		(len(name) == len(inboxName) || name[len(inboxName)] == Delimiter) {
		name = inboxName + name[len(inboxName):]
	}
	return name, checkName(name)
}

func checkName(name string) error {
	invalid := func(text string) error { return mailerr.New("mailstore.name", mailerr.Invalid, text) }
	switch {
	case name == "":
		return invalid("a mailbox name may not be empty")
	case len(name) > maxNameBytes:
		return invalid("the mailbox name is too long")
	case !utf8.ValidString(name):
		return invalid("the mailbox name is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl), strings.ContainsAny(name, "\u2028\u2029"): // RFC 6855 section 3
		return invalid("the mailbox name has control characters")
	case strings.HasPrefix(name, delimiter), strings.HasSuffix(name, delimiter), strings.Contains(name, delimiter+delimiter):
		return invalid("the mailbox name has an empty level")
	case strings.Count(name, delimiter) >= maxNameLevels:
		return invalid("the mailbox name has too many levels")
	}
	return nil
}

// sameName reports whether two names look alike to a person: equal after normalisation to NFC.
func sameName(a, b string) bool { return a == b || norm.NFC.String(a) == norm.NFC.String(b) }
