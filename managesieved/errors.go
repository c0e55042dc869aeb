package managesieved

import (
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
)

// refusal is a NO response: a response code (RFC 5804 section 1.3), "" for none, and a text.
type refusal struct{ code, text string }

// Error returns the text.
func (r refusal) Error() string { return r.text }

// response returns the response without its CRLF.
func (r refusal) response() string {
	if r.code == "" {
		return "NO " + quote(r.text)
	}
	return "NO (" + r.code + ") " + quote(r.text)
}

// mistake is a command that is none: many in a row end the session.
type mistake string

// Error returns the text.
func (m mistake) Error() string { return string(m) }

// replyFor turns an error into a response. Trouble of ours, and errors nobody has classified, are temporary.
func replyFor(err error) refusal {
	text := mailerr.ClientText(err)
	switch mailerr.KindOf(err) {
	case mailerr.NotFound:
		return refusal{"NONEXISTENT", text}
	case mailerr.Exists:
		return refusal{"ALREADYEXISTS", text}
	case mailerr.InUse:
		return refusal{"ACTIVE", text}
	case mailerr.TooBig:
		return refusal{"QUOTA/MAXSIZE", text}
	case mailerr.Limit:
		return refusal{"QUOTA/MAXSCRIPTS", text}
	case mailerr.OverQuota:
		return refusal{"QUOTA", text}
	case mailerr.Permission, mailerr.Invalid, mailerr.Expunged:
		return refusal{"", text}
	case mailerr.Internal, mailerr.Unavailable:
	}
	return refusal{"TRYLATER", text}
}

// logTrouble logs what went wrong with a command: our own trouble as an error, the rest for information.
func (s *session) logTrouble(command string, err error) {
	command = "managesieve " + strings.ToLower(command)
	switch mailerr.KindOf(err) {
	case mailerr.Internal, mailerr.Unavailable:
		s.log.Error(command, "error", err)
	default:
		s.log.Info(command, "error", err)
	}
}
