package imapd

import (
	"errors"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/internal/language"
	"github.com/rookery-mail/rookery/mailerr"
)

// statusError is a tagged response other than plain OK, in the protocol's words.
type statusError struct {
	typ  string // "OK", "NO", "BAD"
	code string // response code without brackets, "" for none
	text string
	// highest: the code is HIGHESTMODSEQ (RFC 7162 section 3.2.7), which is known when the session was brought to the present.
	highest bool
}

func (e *statusError) Error() string { return e.typ + " [" + e.code + "] " + e.text }

// no and bad are the two that commands say most.
func no(code, text string) error { return &statusError{typ: "NO", code: code, text: text} }
func bad(text string) error      { return &statusError{typ: "BAD", text: text} }

// statusOf turns the error of a command into the client's words. ours reports that it is trouble of ours, to be logged; its
// text does not reach the client.
func statusOf(err error) (st statusError, ours bool) {
	var said *statusError
	if errors.As(err, &said) {
		return *said, false
	}
	var syn *wire.SyntaxError
	if errors.As(err, &syn) {
		return statusError{typ: "BAD", code: syn.Code, text: syn.Text}, false
	}
	kind := mailerr.KindOf(err)
	return statusError{typ: "NO", code: codeOf(kind), text: mailerr.ClientText(err)},
		kind == mailerr.Internal || kind == mailerr.Unavailable
}

// codeOf returns the response code of RFC 5530 (and RFC 9051 section 7.1) for a kind. Commands that know better (TRYCREATE,
// AUTHENTICATIONFAILED) say so with a statusError.
func codeOf(kind mailerr.Kind) string {
	switch kind {
	case mailerr.NotFound:
		return "NONEXISTENT"
	case mailerr.Exists:
		return "ALREADYEXISTS"
	case mailerr.Permission:
		return "NOPERM"
	case mailerr.OverQuota:
		return "OVERQUOTA"
	case mailerr.InUse:
		return "INUSE"
	case mailerr.Expunged:
		return "EXPUNGEISSUED"
	case mailerr.Limit:
		return "LIMIT"
	case mailerr.TooBig:
		return "TOOBIG"
	case mailerr.Invalid:
		return "CANNOT"
	case mailerr.Unavailable:
		return "UNAVAILABLE"
	default:
		return "SERVERBUG"
	}
}

// status writes an untagged status response; code is without brackets, "" for none.
func (s *session) status(typ, code, text string) { s.respond("*", typ, code, text) }

// respond writes a status response (RFC 9051 section 7.1) in the client's language.
func (s *session) respond(tag, typ, code, text string) {
	s.w.Raw(tag).SP().Raw(typ)
	if code == "" {
		s.w.SP().Raw(s.say(text)).CRLF()
		return
	}
	s.w.Raw(" [").Raw(code)
	s.remark(text)
}

// remark ends a status response after its code.
func (s *session) remark(text string) { s.w.Raw("] ").Raw(s.say(text)).CRLF() }

// say returns a text in the client's language, fit for resp-text.
func (s *session) say(english string) string {
	if text := language.Text(s.language, english); text != english {
		return text
	}
	return sentence(english)
}

// sentence makes a text fit for resp-text: it begins with a capital letter, not with a response code.
func sentence(s string) string {
	if s == "" {
		return "Error"
	}
	if 'A' <= s[0] && s[0] <= 'Z' && strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	b := []byte(printable(s))
	if b[0] == '[' {
		b[0] = '('
	}
	b[0] = upperASCII(b[0])
	return string(b)
}

func upperASCII(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// printable replaces what is not printable US-ASCII, so that no name in a text can end its line.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if unprintable(rune(c)) {
			b[i] = '?'
		}
	}
	return string(b)
}

func unprintable(c rune) bool { return c < ' ' || c > '~' }
