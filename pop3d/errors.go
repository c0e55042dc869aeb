package pop3d

import (
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

// refusal is a negative reply: a response code (RFC 2449 section 8, RFC 3206), "" for none, and a text.
type refusal struct{ code, text string }

// Error returns the reply without "-ERR ".
func (r refusal) Error() string {
	if r.code == "" {
		return r.text
	}
	return "[" + r.code + "] " + r.text
}

// replyFor turns an error into a reply. Trouble of ours, and errors nobody has classified, are temporary.
func replyFor(err error) refusal {
	text := oneLine(mailerr.ClientText(err))
	switch mailerr.KindOf(err) {
	case mailerr.InUse:
		return refusal{"IN-USE", text}
	case mailerr.Permission:
		return refusal{"AUTH", text}
	case mailerr.NotFound, mailerr.Expunged, mailerr.Limit, mailerr.TooBig, mailerr.Invalid:
		return refusal{"", text}
	case mailerr.Internal, mailerr.Unavailable, mailerr.OverQuota, mailerr.Exists:
	}
	return refusal{"SYS/TEMP", text}
}

// oneLine keeps a text within a reply line, and keeps it from looking like a response code.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "")
	}
	return strings.TrimLeft(s, "[ ")
}

// logTrouble logs what went wrong with a command: our own trouble as an error, the rest for information.
func (s *session) logTrouble(op string, err error) {
	switch mailerr.KindOf(err) {
	case mailerr.Internal, mailerr.Unavailable:
		s.log.Error("pop3 "+op, "error", err)
	default:
		s.log.Info("pop3 "+op, "error", err)
	}
}
