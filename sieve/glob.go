package sieve

import "strings"

// glob is a compiled pattern of ":matches" (RFC 5228 section 2.7.1). Its literals are folded by the comparator.
//
// A "*" takes as little as it can (RFC 5229 section 3.2). So what stands between two stars belongs at the first place where
// it fits, and what stands behind the last star belongs at the end: no place is ever tried again.
type glob struct {
	segments [][]globPiece // between the stars; one when there is no star
}

// globPiece is a literal, or "?" that many times.
type globPiece struct {
	literal string
	any     int
}

func compileGlob(pattern string, cmp comparator) *glob {
	g := &glob{}
	var segment []globPiece
	var literal []byte
	flush := func() {
		if len(literal) > 0 {
			segment = append(segment, globPiece{literal: cmp.fold(string(literal))})
			literal = nil
		}
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			flush()
			g.segments = append(g.segments, segment)
			segment = nil
		case c == '?':
			flush()
			if n := len(segment); n > 0 && segment[n-1].any > 0 {
				segment[n-1].any++
			} else {
				segment = append(segment, globPiece{any: 1})
			}
		case c == '\\' && i+1 < len(pattern):
			i++
			literal = append(literal, pattern[i])
		default:
			literal = append(literal, c)
		}
	}
	flush()
	g.segments = append(g.segments, segment)
	return g
}

// globValue is a value being matched.
type globValue struct {
	original string
	folded   string
	offsets  []int // from folded to original; nil when they are the same. See foldUnicode
	work     int   // bytes that may still be looked at; below zero the match is given up
}

func newGlobValue(value string, cmp comparator) *globValue {
	v := &globValue{original: value}
	if cmp == unicodeCasemap && !isASCII(value) {
		v.folded, v.offsets = foldUnicode(value, true)
	} else {
		v.folded = cmp.fold(value)
	}
	return v
}

// next returns where the character at i ends, -1 behind the last one.
func (v *globValue) next(i int) int {
	if i >= len(v.folded) {
		return -1
	}
	i++
	for v.offsets != nil && i < len(v.folded) && v.offsets[i] == v.offsets[i-1] {
		i++
	}
	return i
}

// previous returns where the character before i begins, -1 before the first one.
func (v *globValue) previous(i int) int {
	if i <= 0 {
		return -1
	}
	i--
	for v.offsets != nil && i > 0 && v.offsets[i] == v.offsets[i-1] {
		i--
	}
	return i
}

// span is a range of the folded value.
type span struct{ from, to int }

func (v *globValue) text(s span) string {
	if v.offsets == nil {
		return v.original[s.from:s.to]
	}
	return v.original[v.offsets[s.from]:v.offsets[s.to]]
}

// at matches a segment at i and returns where it ends, -1 when it does not match; the characters of its "?" are appended to
// captured.
func (v *globValue) at(segment []globPiece, i int, captured *[]span) int {
	for _, p := range segment {
		v.work -= len(p.literal) + p.any
		if p.any == 0 {
			if !strings.HasPrefix(v.folded[i:], p.literal) {
				return -1
			}
			i += len(p.literal)
			continue
		}
		for range p.any {
			end := v.next(i)
			if end < 0 {
				return -1
			}
			capture(captured, span{i, end})
			i = end
		}
	}
	return i
}

// startAtEnd returns where a segment that ends the value begins, -1 when it does not fit.
func (v *globValue) startAtEnd(segment []globPiece) int {
	i := len(v.folded)
	for n := len(segment) - 1; n >= 0; n-- {
		p := segment[n]
		v.work -= len(p.literal) + p.any
		if p.any == 0 {
			if !strings.HasSuffix(v.folded[:i], p.literal) {
				return -1
			}
			i -= len(p.literal)
			continue
		}
		for range p.any {
			if i = v.previous(i); i < 0 {
				return -1
			}
		}
	}
	return i
}

// find returns the first place at or behind i where a segment matches, -1 for none.
func (v *globValue) find(segment []globPiece, i int) int {
	lead := 0 // "?" before the first literal
	for n, p := range segment {
		if p.any > 0 {
			lead += p.any
			continue
		}
		return v.findLiteral(segment, n, lead, i)
	}
	// Nothing but "?": it fits here, if anywhere.
	v.work -= lead
	for at := i; lead > 0; lead-- {
		if at = v.next(at); at < 0 {
			return -1
		}
	}
	return i
}

// findLiteral finds a segment whose n-th piece is its first literal, with lead characters before it.
func (v *globValue) findLiteral(segment []globPiece, n, lead, i int) int {
	start, at := i, i
	for range lead {
		if at = v.next(at); at < 0 {
			return -1
		}
	}
	for v.work >= 0 {
		found := strings.Index(v.folded[at:], segment[n].literal)
		if found < 0 {
			v.work -= len(v.folded) - at
			return -1
		}
		v.work -= found + 1
		target := at + found
		if lead == 0 {
			at, start = target, target
		}
		// The start moves on with the place of the literal, a character at a time.
		for at < target {
			at, start = v.next(at), v.next(start)
		}
		if at > target {
			continue // the literal was found inside a character that folds to several
		}
		var none []span
		if v.at(segment[n:], at, &none) >= 0 {
			return start
		}
		at, start = v.next(at), v.next(start)
		if at < 0 {
			return -1
		}
	}
	return -1
}

// maxCaptures is how many match variables there are beside ${0}.
const maxCaptures = 99

func capture(captured *[]span, s span) {
	if len(*captured) < maxCaptures {
		*captured = append(*captured, s)
	}
}

// match reports whether the whole value matches. captured has what each "*" and "?" took.
func (g *glob) match(v *globValue) (captured []span, ok bool) {
	captured = make([]span, 0, 8)
	last := len(g.segments) - 1
	i := v.at(g.segments[0], 0, &captured)
	if i < 0 || last == 0 {
		return captured, i == len(v.folded)
	}
	for _, segment := range g.segments[1:last] {
		start := v.find(segment, i)
		if start < 0 || v.work < 0 {
			return nil, false
		}
		capture(&captured, span{i, start})
		i = v.at(segment, start, &captured)
	}
	start := v.startAtEnd(g.segments[last])
	if start < i {
		return nil, false
	}
	capture(&captured, span{i, start})
	v.at(g.segments[last], start, &captured)
	return captured, true
}
