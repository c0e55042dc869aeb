package delivery

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// Verdict says what a header field of a virus scanner's means.
type Verdict struct {
	Field   string
	Pattern string // of the whole value, "*" standing for any characters; case does not matter
	Value   int    // of virustest, 0 to 5 (RFC 5235 section 3.3)
}

// DefaultVerdicts know ClamAV's milter, amavis and rspamd.
var DefaultVerdicts = []Verdict{
	{"X-Virus-Status", "clean*", 1}, {"X-Virus-Status", "infected*", 5}, {"X-Virus-Status", "no", 1}, {"X-Virus-Status", "yes*", 5},
	{"X-Amavis-Alert", "infected*", 5}, {"X-Virus-Scanned", "*", 1},
	{"X-Virus", "clean*", 1}, {"X-Virus", "no", 1}, {"X-Virus", "*fail*", 0}, {"X-Virus", "*", 5}, {"X-Spamd-Result", "*_virus(*", 5},
}

// ParseVerdict reads "FIELD: PATTERN=VALUE"; ok is false for what is none.
func ParseVerdict(s string) (v Verdict, ok bool) {
	v.Field, s, ok = strings.Cut(s, ":")
	i := strings.LastIndexByte(s, '=')
	if !ok || i < 0 || v.Field == "" || strings.ContainsFunc(v.Field, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return v, false
	}
	v.Pattern = strings.TrimSpace(s[:i])
	if digit := strings.TrimSpace(s[i+1:]); len(digit) == 1 && digit >= "0" && digit <= "5" {
		v.Value = int(digit[0] - '0')
		return v, v.Pattern != ""
	}
	return v, false
}

// String returns the verdict as ParseVerdict reads it.
func (v Verdict) String() string { return fmt.Sprintf("%s: %s=%d", v.Field, v.Pattern, v.Value) }

// Virus returns the value of virustest for a message with this header: of every field that verdicts name the first one counts, as
// with the spam score, and of its verdicts the first that fits; of several fields the worst. 0 when none says anything.
func Virus(head []byte, verdicts []Verdict) (value int) {
	if len(verdicts) == 0 {
		return 0
	}
	seen := map[string]bool{}
	for len(head) > 0 {
		end := fieldEnd(head)
		raw := head[:end]
		head = head[end:]
		name, _, ok := bytes.Cut(raw, []byte(":"))
		if len(bytes.TrimRight(raw, "\r\n")) == 0 {
			break // the end of the header
		}
		if !ok {
			continue
		}
		name = bytes.TrimRight(name, " \t")
		first := true
		for i := range verdicts {
			v := &verdicts[i]
			if len(name) != len(v.Field) || !strings.EqualFold(string(name), v.Field) {
				continue
			}
			if first {
				if first = false; seen[strings.ToLower(v.Field)] {
					break
				}
				seen[strings.ToLower(v.Field)] = true
			}
			if fits(message.Field{Raw: raw}.Value(), v.Pattern) {
				value = max(value, v.Value)
				break
			}
		}
	}
	return value
}

// fieldEnd returns where the field at the beginning of a header ends, with its folded lines.
func fieldEnd(head []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(head[i:], '\n')
		if n < 0 {
			return len(head)
		}
		if i += n + 1; i == len(head) || head[i] != ' ' && head[i] != '\t' {
			return i
		}
	}
}

// fits reports whether a value is as a pattern says.
func fits(value, pattern string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	pieces := strings.Split(strings.ToLower(pattern), "*")
	last := len(pieces) - 1
	value, ok := strings.CutPrefix(value, pieces[0])
	if !ok || last == 0 {
		return ok && value == ""
	}
	for _, p := range pieces[1:last] {
		i := strings.Index(value, p)
		if i < 0 {
			return false
		}
		value = value[i+len(p):]
	}
	return strings.HasSuffix(value, pieces[last])
}
