package message

import (
	"strings"
	"time"
)

// ParseDate reads a Date field's value as leniently as mail needs: RFC 5322 with its obsolete forms, missing day names,
// seconds and zones, two-digit years, the order of asctime, ISO 8601. unix is in seconds, zoneOffset in seconds east of
// UTC; an unknown zone counts as UTC, as RFC 5322 section 4.3 says. ok is false when there is no date in it.
func ParseDate(value string) (unix int64, zoneOffset int, ok bool) {
	d := parseDate(value)
	return d.result()
}

// DateInCalendar reports whether the month of a date that ParseDate reads has its day: ParseDate takes February 30th for one in March.
func DateInCalendar(value string) bool {
	d := parseDate(value)
	return d.month > 0 && d.day <= time.Date(d.year, time.Month(d.month+1), 0, 0, 0, 0, 0, time.UTC).Day()
}

func parseDate(value string) dateParser {
	d := dateParser{day: -1, year: -1}
	for s := skipCFWS(value); s != ""; s = skipCFWS(s) {
		var token string
		token, s = dateToken(s)
		// RFC 5322 section 4.3 lets white space and comments stand around the colons.
		for token != "" && len(token) < len("00:00:00") {
			rest := skipCFWS(s)
			if rest == "" || rest[0] != ':' && token[len(token)-1] != ':' {
				break
			}
			var more string
			more, s = dateToken(rest)
			if more == "" {
				break
			}
			token += more
		}
		if token != "" {
			d.token(token)
		} else if s != "" {
			s = s[1:] // a comma
		}
	}
	return d
}

// dateToken returns what s begins with up to white space, a comment or a comma, and what follows.
func dateToken(s string) (token, rest string) {
	n := 0
	for n < len(s) && !isSpace(s[n]) && s[n] != '(' && s[n] != ',' {
		n++
	}
	return s[:n], s[n:]
}

// dateParser collects what the tokens of a date say; the first that can be a thing is that thing.
type dateParser struct {
	day, year int // -1 until known
	month     int // 0 until known
	clock     int // seconds of the day
	hasClock  bool
	zone      int
	hasZone   bool
	afternoon int // 0 unknown, 1 am, 2 pm
}

func (d *dateParser) result() (unix int64, zoneOffset int, ok bool) {
	if d.day < 1 || d.day > 31 || d.month == 0 || d.year < 0 || d.year > 9999 {
		return 0, 0, false
	}
	switch hour := d.clock / 3600; {
	case d.afternoon == 1 && hour == 12:
		d.clock -= 12 * 3600
	case d.afternoon == 2 && hour < 12:
		d.clock += 12 * 3600
	}
	t := time.Date(d.year, time.Month(d.month), d.day, 0, 0, d.clock, 0, time.UTC)
	return t.Unix() - int64(d.zone), d.zone, true
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

// month returns the month that a word begins with the name of, 0 for none.
func month(word string) int {
	if len(word) < 3 {
		return 0
	}
	name := strings.ToLower(word[:3])
	for i := 0; i < len(monthNames); i += 3 {
		if monthNames[i:i+3] == name {
			return i/3 + 1
		}
	}
	return 0
}

func (d *dateParser) token(s string) {
	c := s[0]
	switch {
	case strings.IndexByte(s, ':') >= 0 && c >= '0' && c <= '9':
		if date, clock, ok := strings.Cut(s, "T"); ok && strings.IndexByte(date, '-') > 0 {
			d.dashed(date)
			s = clock
		}
		d.time(s)
	case (c == '+' || c == '-') && len(s) > 1:
		d.offset(s)
	case c >= '0' && c <= '9':
		if strings.ContainsAny(s, "-/") {
			d.dashed(s)
		} else {
			d.number(s)
		}
	default:
		d.word(s)
	}
}

// number takes a token that begins with a digit: a day or a year.
func (d *dateParser) number(s string) {
	n, digits, _ := leadingNumber(s)
	switch {
	case d.day < 0 && digits <= 2 && n >= 1 && n <= 31:
		d.day = n
	case d.year < 0 && digits <= 4:
		d.year = fullYear(n, digits)
	}
}

// fullYear returns the year of two or three digits (RFC 5322 section 4.3).
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return 2000 + n
	case digits <= 3:
		return 1900 + n
	}
	return n
}

// leadingNumber reads the digits s begins with.
func leadingNumber(s string) (n, digits int, rest string) {
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		if digits < 9 {
			n = n*10 + int(s[digits]-'0')
		}
		digits++
	}
	return n, digits, s[digits:]
}

// dashed takes 2026-11-23, 23-Nov-2026, 23-11-2026 or 11/23/2026.
func (d *dateParser) dashed(s string) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' })
	if len(parts) != 3 {
		return
	}
	first, digits, _ := leadingNumber(parts[0])
	second, _, _ := leadingNumber(parts[1])
	third, thirdDigits, _ := leadingNumber(parts[2])
	if digits == 4 {
		d.year, d.day = first, third
	} else {
		d.day, d.year = first, fullYear(third, thirdDigits)
		if second > 12 || strings.IndexByte(s, '/') > 0 && first <= 12 {
			first, second = second, first
			d.day = first
		}
	}
	if m := month(parts[1]); m > 0 {
		d.month = m
	} else if second >= 1 && second <= 12 {
		d.month = second
	}
}

// time takes 19:00, 19:00:00, 19:00:00.123 and what may follow without white space: Z, +0100, PM.
func (d *dateParser) time(s string) {
	if d.hasClock {
		return
	}
	hour, _, rest := leadingNumber(s)
	minute, _, rest := leadingNumber(strings.TrimPrefix(rest, ":"))
	second := 0
	if strings.HasPrefix(rest, ":") {
		second, _, rest = leadingNumber(rest[1:])
	}
	if hour > 24 || minute > 59 || second > 60 {
		return
	}
	d.hasClock, d.clock = true, hour*3600+minute*60+second
	if strings.HasPrefix(rest, ".") {
		_, _, rest = leadingNumber(rest[1:])
	}
	if rest == "" {
		return
	}
	if rest[0] == '+' || rest[0] == '-' {
		d.offset(rest)
	} else {
		d.word(rest)
	}
}

// offset takes +0100, +01:00 or +1.
func (d *dateParser) offset(s string) {
	n, digits, rest := leadingNumber(s[1:])
	switch {
	case d.hasZone || digits == 0 || digits > 4:
		return
	case digits <= 2:
		n *= 100
		if strings.HasPrefix(rest, ":") {
			minutes, _, _ := leadingNumber(rest[1:])
			n += minutes
		}
	}
	if n%100 > 59 || n/100 > 24 {
		return
	}
	d.hasZone, d.zone = true, (n/100*60+n%100)*60
	if s[0] == '-' {
		d.zone = -d.zone
	}
}

// zones has the names that RFC 5322 section 4.3 defines and others without doubt, in hours east of UTC.
var zones = map[string]int{
	"UT": 0, "GMT": 0, "UTC": 0, "Z": 0, "WET": 0,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
	"CET": 1, "MET": 1, "MEZ": 1, "CEST": 2, "MEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "MSD": 4, "WEST": 1,
	"JST": 9, "KST": 9, "NZST": 12, "NZDT": 13, "AEST": 10, "AEDT": 11,
}

// word takes a month, a zone or am and pm; day names and anything else say nothing.
func (d *dateParser) word(s string) {
	upper := strings.ToUpper(strings.TrimRight(s, "."))
	if hours, ok := zones[upper]; ok {
		if !d.hasZone {
			d.hasZone, d.zone = true, hours*3600
		}
		return
	}
	if i := strings.IndexAny(upper, "+-"); i > 0 { // GMT+0100
		if _, ok := zones[upper[:i]]; ok {
			d.offset(upper[i:])
			return
		}
	}
	switch {
	case upper == "AM" && d.afternoon == 0:
		d.afternoon = 1
	case upper == "PM" && d.afternoon == 0:
		d.afternoon = 2
	case d.month == 0:
		d.month = month(upper)
	}
}
