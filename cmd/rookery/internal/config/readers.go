package config

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is what a key is given: a TOML value, or a variable's text.
type value struct {
	raw any
	env bool
}

// text reads a string that a check accepts; the check says what was expected, "" for nothing to complain about.
func text(field func(*Config) *string, check func(string) string) reader {
	return func(c *Config, v value) string {
		s, ok := v.raw.(string)
		if !ok {
			return "a string in quotes"
		}
		if expected := check(s); expected != "" {
			return expected
		}
		*field(c) = s
		return ""
	}
}

// list reads an array of strings, or a variable that separates them by commas.
func list[T any](field func(*Config) *[]T, parse func(string) (v T, expected string)) reader {
	return func(c *Config, v value) string {
		var words []string
		switch raw := v.raw.(type) {
		case []any:
			for _, w := range raw {
				s, ok := w.(string)
				if !ok {
					return "an array of strings"
				}
				words = append(words, s)
			}
		case string:
			if !v.env {
				return "an array of strings"
			}
			words = strings.FieldsFunc(raw, func(r rune) bool { return r == ',' || r == ' ' })
		default:
			return "an array of strings"
		}
		parsed := make([]T, 0, len(words))
		for _, w := range words {
			p, expected := parse(w)
			if expected != "" {
				return "an array of " + expected
			}
			parsed = append(parsed, p)
		}
		*field(c) = parsed
		return ""
	}
}

// spaced is a list whose words may have commas: a variable separates them by white space alone.
func spaced(read reader) reader {
	return func(c *Config, v value) string {
		if s, ok := v.raw.(string); ok && v.env {
			words := []any{}
			for _, w := range strings.Fields(s) {
				words = append(words, w)
			}
			v.raw = words
		}
		return read(c, v)
	}
}

func choice(set func(*Config, string), words ...string) reader {
	return func(c *Config, v value) string {
		s, ok := v.raw.(string)
		if !ok || !slices.Contains(words, s) {
			return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
		}
		set(c, s)
		return ""
	}
}

func boolean(field func(*Config) *bool) reader {
	return func(c *Config, v value) string {
		b, ok := v.raw.(bool)
		if s, isText := v.raw.(string); isText && v.env {
			b, ok = s == "true", s == "true" || s == "false"
		}
		if !ok {
			return "true or false"
		}
		*field(c) = b
		return ""
	}
}

func number(field func(*Config) *int, least, most int) reader {
	return func(c *Config, v value) string {
		n, ok := v.raw.(int64)
		if s, isText := v.raw.(string); isText && v.env {
			var err error
			n, err = strconv.ParseInt(s, 10, 64)
			ok = err == nil
		}
		if !ok || n < int64(least) || n > int64(most) {
			return fmt.Sprintf("a whole number from %d to %d", least, most)
		}
		*field(c) = int(n)
		return ""
	}
}

// numberOrNone is number, and takes 0 too.
func numberOrNone(field func(*Config) *int, least, most int) reader {
	none, some := number(field, 0, 0), number(field, least, most)
	return func(c *Config, v value) string {
		if none(c, v) == "" {
			return ""
		}
		if expected := some(c, v); expected != "" {
			return "0 or " + expected
		}
		return ""
	}
}

func duration(field func(*Config) *time.Duration) reader {
	return func(c *Config, v value) string {
		s, _ := v.raw.(string)
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return `a duration such as "30s" or "2m"`
		}
		*field(c) = d
		return ""
	}
}

func size(field func(*Config) *int64, least int64) reader {
	return func(c *Config, v value) string {
		var n int64
		var ok bool
		switch raw := v.raw.(type) {
		case int64:
			n, ok = raw, true
		case string:
			n, ok = parseSize(raw)
		}
		if !ok || n < least {
			expected := `a number of bytes, or a size such as "64MiB"`
			if least > 0 {
				expected += fmt.Sprintf(", at least %d", least)
			}
			return expected
		}
		*field(c) = n
		return ""
	}
}

var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

func parseSize(s string) (int64, bool) {
	unit := int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// secretFile reads the URL of another key from a file.
func secretFile(read reader) reader {
	return func(c *Config, v value) string {
		path, ok := v.raw.(string)
		if !ok {
			return "the path of a file, in quotes"
		}
		if path == "" {
			return ""
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "a file that can be read: " + err.Error()
		}
		if expected := read(c, value{raw: strings.TrimSpace(string(data))}); expected != "" {
			return "a file that holds " + expected
		}
		return ""
	}
}

// ParseSize reads bytes, or a size with a unit such as "64MiB".
func ParseSize(s string) (bytes int64, ok bool) { return parseSize(s) }

// FormatSize writes bytes with the largest binary unit that leaves at least one before the point.
func FormatSize(bytes int64) string {
	for i := len("TGMK") - 1; i >= 0; i-- {
		unit := units[i]
		if bytes >= unit.bytes {
			return strconv.FormatFloat(float64(bytes)/float64(unit.bytes), 'f', 1, 64) + " " + unit.name
		}
	}
	return strconv.FormatInt(bytes, 10) + " B"
}
