package message_test

import (
	"regexp"
	"strings"
)

// The rules of RFC 5256 section 5 as expressions.
const (
	subjBlob  = `\[[^\[\]\x00]*\] *`
	subjRefwd = `(?i:re|fwd?) *(?:` + subjBlob + `)?:`
)

var (
	subjTrailer = regexp.MustCompile(`(?i)(?:\(fwd\)| )$`)
	subjMark    = regexp.MustCompile(`^(?:` + subjBlob + `)*` + subjRefwd)
	subjOneBlob = regexp.MustCompile(`^` + subjBlob)
)

// stepwiseBaseSubject takes the steps of RFC 5256 section 2.1 from (2) on as they are written.
func stepwiseBaseSubject(s string) (base string, reply bool) {
	for {
		for { // (2)
			loc := subjTrailer.FindStringIndex(s)
			if loc == nil {
				break
			}
			reply = reply || s[loc[0]] == '('
			s = s[:loc[0]]
		}
		for { // (5)
			before := s
			for { // (3)
				if strings.HasPrefix(s, " ") {
					s = s[1:]
				} else if m := subjMark.FindString(s); m != "" {
					s, reply = s[len(m):], true
				} else {
					break
				}
			}
			if m := subjOneBlob.FindString(s); m != "" && len(m) < len(s) { // (4)
				s = s[len(m):]
			}
			if s == before {
				break
			}
		}
		if len(s) < 6 || !strings.EqualFold(s[:5], "[fwd:") || !strings.HasSuffix(s, "]") { // (6)
			return s, reply
		}
		s, reply = s[5:len(s)-1], true
	}
}
