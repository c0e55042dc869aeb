package sieve

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/message"
)

func init() {
	zoneTags := []tagSpec{{name: "zone", arg: argString, group: "zone"}, {name: "originalzone", group: "zone"}}
	testSpecs["date"] = &spec{
		ext: extDate, args: []argKind{argString, argString, argList}, tags: tags(comparatorTags, matchTags, indexTags, zoneTags),
		usage: `date [:zone <"+hhmm"> / :originalzone] [:is / :value <relation>] <header name> <date part> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &dateTest{
				fields: c.fieldSource(b, b.pos[0]), zone: c.zone(b), original: b.has("originalzone"),
				part: c.datePart(b.pos[1]), match: c.matcher(b, b.pos[2]),
			}
		},
	}
	testSpecs["currentdate"] = &spec{
		ext: extDate, args: []argKind{argString, argList}, tags: tags(comparatorTags, matchTags, zoneTags[:1]),
		usage: `currentdate [:zone <"+hhmm">] [:is / :value <relation>] <date part> <keys>`,
		test: func(c *compiler, b *bound) test {
			return &dateTest{zone: c.zone(b), part: c.datePart(b.pos[0]), match: c.matcher(b, b.pos[1])}
		},
	}
}

// zone compiles ":zone"; nil when it is not there.
func (c *compiler) zone(b *bound) *text {
	given, ok := b.tags["zone"]
	if !ok {
		return nil
	}
	t := c.textOf(given.value)
	if s, ok := t.constant(); ok {
		if _, valid := parseZone(s); !valid {
			c.fail(given.value.pos, `%q is no time zone; one looks like "+0100"`, s)
		}
	}
	return &t
}

// parseZone reads "+hhmm" (RFC 5260 section 4.1).
func parseZone(s string) (*time.Location, bool) {
	if len(s) != 5 || s[0] != '+' && s[0] != '-' || strings.Trim(s[1:], "0123456789") != "" {
		return nil, false
	}
	n, _ := strconv.Atoi(s[1:])
	seconds := (n/100*60 + n%100) * 60
	if n%100 > 59 || n/100 > 23 {
		return nil, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(s, seconds), true
}

var dateParts = map[string]func(time.Time) string{
	"year":   func(t time.Time) string { return fmt.Sprintf("%04d", t.Year()) },
	"month":  func(t time.Time) string { return t.Format("01") },
	"day":    func(t time.Time) string { return t.Format("02") },
	"date":   func(t time.Time) string { return fmt.Sprintf("%04d-%s", t.Year(), t.Format("01-02")) },
	"julian": julian,
	"hour":   func(t time.Time) string { return t.Format("15") },
	"minute": func(t time.Time) string { return t.Format("04") },
	"second": func(t time.Time) string { return t.Format("05") },
	"time":   func(t time.Time) string { return t.Format("15:04:05") },
	"iso8601": func(t time.Time) string {
		return t.Format("2006-01-02T15:04:05Z07:00")
	},
	"std11":   func(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") },
	"zone":    func(t time.Time) string { return t.Format("-0700") },
	"weekday": func(t time.Time) string { return strconv.Itoa(int(t.Weekday())) },
}

// julian returns the Modified Julian Day of the date that the clock shows in t's zone (RFC 5260 section 4.2).
func julian(t time.Time) string {
	y, m, d := t.Date()
	days := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
	return strconv.FormatInt(days+40587, 10)
}

func (c *compiler) datePart(a argument) text {
	t := c.textOf(a)
	if s, ok := t.constant(); ok && dateParts[asciiLower(s)] == nil {
		names := make([]string, 0, len(dateParts))
		for name := range dateParts {
			names = append(names, name)
		}
		if near := nearest(s, names); near != "" {
			c.fail(a.pos, "a date has no part %q; did you mean %q?", s, near)
		} else {
			c.fail(a.pos, "a date has no part %q", s)
		}
	}
	return t
}

type dateTest struct {
	fields   *fieldSource // nil for currentdate
	zone     *text
	original bool
	part     text
	match    *matcher
}

func (t *dateTest) eval(vm *machine) (bool, error) {
	when := vm.now()
	if t.fields != nil {
		var ok bool
		var err error
		if when, ok, err = t.headerDate(vm); err != nil {
			return false, err
		}
		if !ok {
			return t.match.any(vm, nil) // a ":count" of none
		}
	}
	if t.zone != nil {
		zone, ok := parseZone(t.zone.get(vm))
		if !ok {
			return false, vm.failf(t.zone.pos, "%q is no time zone", cutString(t.zone.get(vm), 20))
		}
		when = when.In(zone)
	}
	part := dateParts[asciiLower(t.part.get(vm))]
	if part == nil {
		return false, nil
	}
	return t.match.any(vm, []string{part(when)})
}

// headerDate returns the date of the first field, or of the one that ":index" names.
func (t *dateTest) headerDate(vm *machine) (when time.Time, ok bool, err error) {
	seen := false
	err = t.fields.each(vm, func(f *headerField) {
		if seen {
			return
		}
		seen = true
		value := f.structured()
		if i := strings.LastIndexByte(value, ';'); i >= 0 {
			value = value[i+1:] // RFC 5260 section 4: as in Received
		}
		var unix int64
		var offset int
		if unix, offset, ok = message.ParseDate(value); ok && !message.DateInCalendar(value) {
			ok = false // RFC 5260 section 4
		}
		if ok {
			when = time.Unix(unix, 0).In(vm.now().Location())
			if t.original {
				when = when.In(time.FixedZone("", offset))
			}
		}
	})
	if y := when.Year(); ok && (y < 0 || y > 9999) {
		ok = false
	}
	return when, ok, err
}

// now returns the host's time; the same during the whole run.
func (vm *machine) now() time.Time {
	if vm.started.IsZero() {
		vm.started = vm.host.Now()
	}
	return vm.started
}
