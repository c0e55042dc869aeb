package wire

import "time"

const monthNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"

// DateTime reads a date-time (INTERNALDATE in APPEND). The day may have two digits, one, or a space and one.
func (p *Parser) DateTime() (time.Time, error) {
	bad := syntax("Invalid date-time")
	if !p.Try('"') {
		return time.Time{}, bad
	}
	p.Try(' ')
	year, month, day, ok := p.ymd()
	if !ok || !p.Try(' ') {
		return time.Time{}, bad
	}
	hour, ok1 := p.digits(2, 2)
	ok1 = ok1 && p.Try(':')
	minute, ok2 := p.digits(2, 2)
	ok2 = ok2 && p.Try(':')
	second, ok3 := p.digits(2, 2)
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 || !p.Try(' ') {
		return time.Time{}, bad
	}
	sign := 1
	if p.Try('-') {
		sign = -1
	} else if !p.Try('+') {
		return time.Time{}, bad
	}
	zone, ok := p.digits(4, 4)
	if !ok || zone/100 > 23 || zone%100 > 59 || !p.Try('"') {
		return time.Time{}, bad
	}
	offset := sign * (zone/100*3600 + zone%100*60)
	return time.Date(year, month, day, hour, minute, second, 0, time.FixedZone("", offset)), nil
}

// Date reads a date (SEARCH), quoted or not: midnight UTC of that day.
func (p *Parser) Date() (time.Time, error) {
	quoted := p.Try('"')
	if quoted {
		p.Try(' ')
	}
	year, month, day, ok := p.ymd()
	if !ok || quoted && !p.Try('"') {
		return time.Time{}, syntax("Invalid date")
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), nil
}

// ymd reads "1-Feb-1994". A day that the month does not have is no date.
func (p *Parser) ymd() (year int, month time.Month, day int, ok bool) {
	day, ok = p.digits(1, 2)
	if !ok || !p.Try('-') || len(p.b)-p.pos < 3 {
		return 0, 0, 0, false
	}
	var name [3]byte
	for i := range name {
		name[i] = upper(p.b[p.pos+i])
	}
	p.pos += 3
	for i := 0; i < len(monthNames); i += 3 {
		if string(name[:]) == monthNames[i:i+3] {
			month = time.Month(i/3 + 1)
		}
	}
	if month == 0 || !p.Try('-') {
		return 0, 0, 0, false
	}
	year, ok = p.digits(4, 4)
	if !ok || time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day {
		return 0, 0, 0, false
	}
	return year, month, day, true
}

// digits reads least to most decimal digits.
func (p *Parser) digits(least, most int) (n int, ok bool) {
	i := 0
	for ; i < most && p.pos < len(p.b) && '0' <= p.b[p.pos] && p.b[p.pos] <= '9'; i++ {
		n = n*10 + int(p.b[p.pos]-'0')
		p.pos++
	}
	return n, i >= least
}
