package managesieved

import (
	"strconv"
	"strings"
)

// ok writes OK with a response code ("" for none) and a text.
func (s *session) ok(code, text string) {
	s.Out.WriteString("OK ")
	if code != "" {
		s.Out.WriteString("(" + code + ") ")
	}
	s.Out.WriteString(quote(text) + "\r\n")
}

// no writes a refusal.
func (s *session) no(r refusal) { s.Out.WriteString(r.response() + "\r\n") }

// bye writes BYE and ends the session. what is a response code and a text, as they are sent.
func (s *session) bye(what string) {
	s.Out.WriteString("BYE " + what + "\r\n")
	s.done = true
}

// maxQuoted is the longest quoted string (RFC 5804 section 4).
const maxQuoted = 1024

// quote returns a string as it is sent: quoted, or as a literal where it is long or has line ends.
func quote(s string) string {
	if len(s) > maxQuoted || strings.ContainsAny(s, "\r\n\x00") {
		return "{" + strconv.Itoa(len(s)) + "}\r\n" + s
	}
	return `"` + quoter.Replace(s) + `"`
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
