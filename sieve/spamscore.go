package sieve

import (
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/message"
)

// SpamPercent reads the spam score that a filter left in the header, for Input.Spam: of X-Spam-Score, X-Spam-Status
// ("score=5.3"), X-Spam-Level ("*****") the first that has one, else X-Spam-Flag. The score is taken in relation to certain,
// the score from which a message is certainly spam. nil when there is none. Whoever uses it must know that these fields come
// from a filter and not from the sender.
func SpamPercent(fields []message.Field, certain float64) *float64 {
	readers := []struct {
		name string
		read func(value string) (score float64, ok bool)
	}{
		{"X-Spam-Score", leadingScore},
		{"X-Spam-Status", statusScore},
		{"X-Spam-Level", levelScore},
		{"X-Spam-Flag", func(value string) (float64, bool) {
			switch asciiLower(value) {
			case "yes", "true":
				return certain, true
			case "no", "false":
				return 0, true
			}
			return 0, false
		}},
	}
	for _, r := range readers {
		for _, f := range fields {
			if !asciiEqualFold(f.Name, r.name) {
				continue
			}
			if score, ok := r.read(f.Value()); ok && certain > 0 {
				percent := max(0, min(100*score/certain, 100))
				return &percent
			}
		}
	}
	return nil
}

// leadingScore reads the number that a value begins with.
func leadingScore(value string) (float64, bool) {
	n := 0
	for n < len(value) && (isDigit(value[n]) || value[n] == '.' || n == 0 && (value[n] == '-' || value[n] == '+')) {
		n++
	}
	score, err := strconv.ParseFloat(value[:n], 64)
	return score, err == nil
}

func statusScore(value string) (float64, bool) {
	for _, key := range []string{"score=", "hits="} {
		if _, rest, ok := strings.Cut(asciiLower(value), key); ok {
			return leadingScore(rest)
		}
	}
	return 0, false
}

// levelScore counts stars; only stars may be in the value.
func levelScore(value string) (float64, bool) {
	n := strings.Count(value, "*")
	return float64(n), n == len(value)
}
