package delivery

import (
	"bytes"
	"strconv"
	"strings"
)

// StandardScript is what runs before all accounts' scripts while the administrator has no script of his own active there.
const StandardScript = `# Files what an upstream filter marked as spam into the mailbox with the special use \Junk, made at need.
require ["fileinto", "mailbox", "special-use", "spamtestplus", "relational", "comparator-i;ascii-numeric"];
if anyof (header :is "X-Spam" "yes",
          header :is "X-Spam-Flag" "yes",
          spamtest :percent :value "ge" :comparator "i;ascii-numeric" "100") {
    fileinto :specialuse "\\Junk" :create "Junk";
}
`

// Spam says what an upstream filter's score means.
type Spam struct {
	Header string  // the field with the score; "": X-Spam-Score
	Limit  float64 // the score that is 100 % of spamtest, 10 of its scale; 0: 6
	Off    bool    // no standard script
}

func (s Spam) withDefaults() Spam {
	if s.Header == "" {
		s.Header = "X-Spam-Score"
	}
	if s.Limit <= 0 {
		s.Limit = 6
	}
	return s
}

// marked reports whether the standard script could do anything: it costs less than running it.
func (s Spam) marked(head []byte) bool {
	return hasField(head, "x-spam") || hasField(head, "x-spam-flag") || hasField(head, s.Header)
}

// Percent returns the score as spamtest wants it, 0 to 100, nil when the message has none that can be read. head is the message's
// header; what is behind it does no harm.
func (s Spam) Percent(head []byte) *float64 {
	s = s.withDefaults()
	value, ok := field(head, s.Header)
	if !ok {
		return nil
	}
	value = strings.TrimSpace(value)
	if i := strings.IndexFunc(value, func(r rune) bool { return !strings.ContainsRune("+-.0123456789", r) }); i >= 0 {
		value = value[:i]
	}
	score, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil
	}
	p := min(max(score/s.Limit, 0), 1) * 100
	return &p
}

// hasField reports whether a header has a field of the name.
func hasField(head []byte, name string) bool {
	_, ok := field(head, name)
	return ok
}

// field returns the first line of the first field of a name.
func field(head []byte, name string) (value string, ok bool) {
	for f := range fields(head, name) {
		return string(f), true
	}
	return "", false
}

// fields yields the first line of every field of a name. It allocates nothing: it runs for every message.
func fields(head []byte, name string) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(head) > 0 {
			line := head
			if i := bytes.IndexByte(head, '\n'); i >= 0 {
				line, head = head[:i], head[i+1:]
			} else {
				head = nil
			}
			if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
				return // the end of the header
			}
			if len(line) <= len(name) || (line[0]|0x20) != (name[0]|0x20) || !strings.EqualFold(string(line[:len(name)]), name) {
				continue
			}
			rest := bytes.TrimLeft(line[len(name):], " \t")
			if len(rest) > 0 && rest[0] == ':' && !yield(rest[1:]) {
				return
			}
		}
	}
}
