package message

import "strings"

// BaseSubject returns the base subject of RFC 5256 section 2.1: a Subject without the marks that replies, forwards and
// mailing lists put around it. subject is as the ENVELOPE has it: unfolded, RFC 2047 words not decoded. The base subject is
// UTF-8 in the case it was written in; compare base subjects by i;unicode-casemap.
//
// reply reports whether the message "is considered to be a reply or forward" in the words of RFC 5256 section 3 (THREAD):
// whether "Re:", "Fwd:", "(fwd)" or "[Fwd: ]" was removed. The time it takes is in proportion to the length of subject.
func BaseSubject(subject string) (base string, reply bool) {
	s := singleSpaced(DecodeHeader(subject))
	for {
		var found bool
		s, found = trimSubjectTrailers(s) // (2)
		reply = reply || found
		s, found = trimSubjectLeaders(s) // (3) to (5)
		reply = reply || found
		if !hasPrefixFold(s, "[fwd:") || !strings.HasSuffix(s, "]") { // (6)
			return s, reply
		}
		s, reply = s[len("[fwd:"):len(s)-1], true
	}
}

// singleSpaced is step (1): every run of spaces, tabs and line ends becomes one space.
func singleSpaced(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch {
		case !isSpace(s[i]):
			out = append(out, s[i])
		case len(out) == 0 || out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	return string(out)
}

// trimSubjectTrailers removes every subj-trailer and reports whether one was "(fwd)".
func trimSubjectTrailers(s string) (rest string, forward bool) {
	const fwd = "(fwd)"
	for {
		s = strings.TrimRight(s, " ")
		if len(s) < len(fwd) || !strings.EqualFold(s[len(s)-len(fwd):], fwd) {
			return s, forward
		}
		s, forward = s[:len(s)-len(fwd)], true
	}
}

// trimSubjectLeaders removes every subj-leader, and subj-blobs as long as something is left, and reports whether a
// subj-refwd was among them.
func trimSubjectLeaders(s string) (rest string, reply bool) {
	for {
		s = strings.TrimLeft(s, " ")
		last, after := s, s // the last of the blobs that s begins with, and what follows them
		for {
			next, ok := cutBlob(after)
			if !ok {
				break
			}
			last, after = after, next
		}
		next, ok := cutReplyMark(after)
		if !ok {
			// No blob is part of a leader, so each goes by itself (4), but for one that would leave nothing.
			if after == "" {
				return last, reply
			}
			return after, reply
		}
		s, reply = next, true
	}
}

// cutBlob removes the subj-blob that s begins with.
func cutBlob(s string) (rest string, ok bool) {
	if s == "" || s[0] != '[' {
		return s, false
	}
	end := strings.IndexAny(s[1:], "[]\x00") + 1
	if end == 0 || s[end] != ']' {
		return s, false
	}
	return strings.TrimLeft(s[end+1:], " "), true
}

// cutReplyMark removes the subj-refwd that s begins with: "re", "fw" or "fwd", perhaps a blob, and ":".
func cutReplyMark(s string) (rest string, ok bool) {
	for _, mark := range []string{"re", "fwd", "fw"} {
		if !hasPrefixFold(s, mark) {
			continue
		}
		rest := strings.TrimLeft(s[len(mark):], " ")
		if after, ok := cutBlob(rest); ok {
			rest = after
		}
		return strings.CutPrefix(rest, ":")
	}
	return s, false
}

// hasPrefixFold reports whether s begins with prefix, an ASCII text, in any case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
