package lmtpd

import (
	"bytes"
	"strings"
)

// noDomain is put after a local part without "@", as in <postmaster> (RFC 5321 section 4.1.1.3), so that go-smtp takes the
// path. No client can send it: command lines have no control characters. It never leaves this package.
const noDomain = "@\x01"

// qualify puts noDomain behind the path of a MAIL or RCPT command that has no domain, and keeps a SIZE that go-smtp cannot
// hold within what it can: both are over any limit. The rest is left for go-smtp to judge.
func qualify(line []byte, verb string) []byte {
	keyword := "FROM:"
	if verb == "RCPT" {
		keyword = "TO:"
	}
	args := bytes.TrimLeft(line[len(verb):], " \t")
	if len(args) < len(keyword) || !strings.EqualFold(string(args[:len(keyword)]), keyword) {
		return line
	}
	at := len(line) - len(bytes.TrimLeft(args[len(keyword):], " \t"))
	n := localPartEnd(line[at:])
	if n < 0 {
		return line
	}
	end := at + n
	rest := boundSize(line[end:])
	if end < len(line) && line[end] == '@' || bytes.HasPrefix(line[at:], []byte("<>")) {
		return append(line[:end:end], rest...)
	}
	return append(append(line[:end:end], noDomain...), rest...)
}

// localPartEnd returns where the local part of the path at the start of s ends, -1 when it does not.
func localPartEnd(s []byte) int {
	i := 0
	if i < len(s) && s[i] == '<' {
		i++
	}
	if i < len(s) && s[i] == '@' { // source route, RFC 5321 appendix C
		colon := bytes.IndexByte(s[i:], ':')
		if colon < 0 {
			return -1
		}
		i += colon + 1
	}
	if i < len(s) && s[i] == '"' {
		for i++; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return -1
	}
	for i < len(s) && strings.IndexByte("@> \t\r\n", s[i]) < 0 {
		i++
	}
	return i
}

// boundSize replaces a SIZE parameter (RFC 1870: up to 20 digits) that does not fit 32 bits by the largest that does.
func boundSize(params []byte) []byte {
	upper := bytes.ToUpper(params)
	i := bytes.Index(upper, []byte(" SIZE="))
	if i < 0 {
		return params
	}
	i += len(" SIZE=")
	n := 0
	for i+n < len(params) && '0' <= params[i+n] && params[i+n] <= '9' {
		n++
	}
	if n < 10 {
		return params
	}
	digits := "0" + strings.TrimLeft(string(params[i:i+n]), "0")
	digits = digits[min(1, len(digits)-1):]
	const most = "4294967295"
	if len(digits) > len(most) || len(digits) == len(most) && digits > most {
		digits = most
	}
	return append(append(params[:i:i], digits...), params[i+n:]...)
}

// unqualify undoes qualify on a path as go-smtp hands it over.
func unqualify(path string) string {
	local, ok := strings.CutSuffix(path, noDomain)
	if ok && strings.Contains(local, "@") {
		return quoteLocal(local) // "a@b" in quotes and without a domain is not a@b
	}
	return local
}

// formatPath returns a path for a header or a log line: quoted where it must be.
func formatPath(path string) string {
	i := strings.LastIndexByte(path, '@')
	if i < 0 || strings.HasPrefix(path, `"`) {
		return path
	}
	return quoteLocal(path[:i]) + path[i:]
}

// quoteLocal returns a local part as a dot-string, or as a quoted string if it must be (RFC 5321 section 4.1.2).
func quoteLocal(s string) string {
	if s != "" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..") && !strings.ContainsAny(s, "\"(),:;<>@[\\] \t") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
