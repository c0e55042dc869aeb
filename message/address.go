package message

import "strings"

// addressParser reads address lists (RFC 5322 section 3.4 and 4.4) and what is sent for them. It never fails:
//
//   - an address without a domain has Host "", one without a local part has Mailbox "": both are strings and not nil, so
//     that no broken address looks like the beginning or the end of a group;
//   - a phrase of several words without an address has them as its Name;
//   - the comment of an address without a phrase is its Name;
//   - a semicolon outside a group separates addresses as a comma does; a group that is not closed ends with the field;
//   - a quote without a second one is a letter; a comment that is not closed extends to the end.
type addressParser struct {
	s       string
	i       int
	out     []Address
	strings *stringArena

	comment  string // the last comment seen in this address
	noQuotes bool   // no quoted string ends in what is left
	routeEnd int    // the first : or > behind the last place where a route could begin
}

// parse appends the addresses of an unfolded field value to out.
func (p *addressParser) parse(value string) {
	p.s, p.i, p.noQuotes, p.routeEnd = value, 0, false, 0
	inGroup := false
	for {
		p.comment = ""
		p.skip()
		c, ok := p.peek()
		switch {
		case !ok:
			if inGroup {
				p.add(Address{})
			}
			return
		case c == ';' && inGroup:
			p.i++
			inGroup = false
			p.add(Address{})
		case c == ',' || c == ';':
			p.i++
		default:
			inGroup = p.address(inGroup)
		}
	}
}

func (p *addressParser) add(a Address) {
	if p.out == nil {
		p.out = make([]Address, 0, 4)
	}
	p.out = append(p.out, a)
}

// nonEmpty returns nil for "".
func (p *addressParser) nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return p.strings.pointer(s)
}

func (p *addressParser) peek() (byte, bool) {
	if p.i < len(p.s) {
		return p.s[p.i], true
	}
	return 0, false
}

// skip goes over white space and comments, and keeps the last comment.
func (p *addressParser) skip() {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case isSpace(c):
			p.i++
		case c == '(':
			rest := skipComment(p.s[p.i:])
			text := p.s[p.i+1 : len(p.s)-len(rest)]
			p.comment = trimSpace(unescape(strings.TrimSuffix(text, ")")))
			p.i = len(p.s) - len(rest)
		default:
			return
		}
	}
}

// unescape removes the backslashes of quoted pairs.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// address takes one address, or the beginning of a group, and returns whether a group is open then.
func (p *addressParser) address(inGroup bool) bool {
	start := p.i
	phrase, count := p.words("<@,;:")
	c, ok := p.peek()
	switch {
	case ok && c == '<':
		p.angle(phrase)
	case ok && c == '@':
		local := phrase
		if count > 1 {
			local = strings.ReplaceAll(local, " ", "")
		}
		p.i++
		local, host := p.domain(local)
		end := p.i
		p.skip()
		if c, ok := p.peek(); ok && c == '<' {
			// An address as a phrase that should have been quoted: a@b <c@d>.
			p.angle(trimSpace(p.s[start:end]))
			break
		}
		p.add(Address{Name: p.nonEmpty(p.comment), Mailbox: p.strings.pointer(local), Host: p.strings.pointer(host)})
	case ok && c == ':' && !inGroup:
		p.i++
		p.add(Address{Mailbox: p.strings.pointer(phrase)})
		return true
	case ok && c == ':':
		p.i++ // groups do not nest
		fallthrough
	default:
		a := Address{Name: p.nonEmpty(phrase)}
		if count <= 1 {
			a.Name = p.nonEmpty(p.comment)
			a.Mailbox = p.strings.pointer(phrase)
		} else {
			a.Mailbox = p.strings.pointer("")
		}
		a.Host = p.strings.pointer("")
		p.add(a)
	}
	return inGroup
}

// words reads words and dots up to one of the bytes in stop, which is not consumed. Words are joined by one space where
// white space or a comment stood between them. count is how many such runs there were.
func (p *addressParser) words(stop string) (text string, count int) {
	var b strings.Builder
	joined := false // text is in b rather than a part of p.s
	for {
		before := p.i
		p.skip()
		gap := p.i > before
		c, ok := p.peek()
		if !ok || strings.IndexByte(stop, c) >= 0 {
			if joined {
				return b.String(), count
			}
			return text, count
		}
		word := p.word(stop)
		if count == 0 {
			text, count = word, 1
			continue
		}
		if !joined {
			joined = true
			b.WriteString(text)
		}
		if gap {
			count++
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
}

// word reads a quoted string, or everything up to white space, a comment, a quote or a byte in stop.
func (p *addressParser) word(stop string) string {
	if p.s[p.i] == '"' && !p.noQuotes {
		if content, n, ok := closedQuote(p.s[p.i:]); ok {
			p.i += n
			return content
		}
		p.noQuotes = true
	}
	start := p.i
	for p.i++; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		if isSpace(c) || c == '(' || c == '"' && !p.noQuotes || strings.IndexByte(stop, c) >= 0 {
			break
		}
	}
	return p.s[start:p.i]
}

// closedQuote returns the content of the quoted string that s begins with and its length in s; ok is false when it is not
// closed.
func closedQuote(s string) (content string, n int, ok bool) {
	escaped := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			content = s[1:i]
			if escaped {
				content = unescape(content)
			}
			return content, i + 1, true
		}
	}
	return "", 0, false
}

// domain reads a domain or a domain literal, without the white space and comments that the obsolete syntax allows around
// dots. When another @ follows, what was read belongs to the local part.
func (p *addressParser) domain(local string) (wholeLocal, host string) {
	var b strings.Builder
	at := -1 // of the last further @ in b
	for done := false; !done; {
		p.skip()
		c, ok := p.peek()
		switch {
		case ok && c == '[':
			end := strings.IndexByte(p.s[p.i:], ']') + 1
			if end == 0 {
				end = len(p.s) - p.i
			}
			b.WriteString(p.s[p.i : p.i+end])
			p.i += end
			done = true
		case ok && c == '@':
			at = b.Len()
			b.WriteByte(c)
			p.i++
		case !ok || strings.IndexByte("<>,;:", c) >= 0:
			done = true
		default:
			word := p.word("<>,;:@[")
			if b.Len() == 0 {
				if c, ok := p.peek(); !ok || c == '>' || c == ',' {
					return local, word // as nearly always
				}
			}
			b.WriteString(word)
			dot := strings.HasSuffix(word, ".")
			p.skip()
			c, ok := p.peek()
			done = !ok || c != '.' && c != '@' && !dot
		}
	}
	host = b.String()
	if at >= 0 {
		return local + "@" + host[:at], host[at+1:]
	}
	return local, host
}

// angle takes <route:local@domain> and what stands before the next separator.
func (p *addressParser) angle(phrase string) {
	p.i++
	a := Address{}
	p.skip()
	if c, ok := p.peek(); ok && c == '@' {
		if p.routeEnd <= p.i {
			p.routeEnd = len(p.s)
			if n := strings.IndexAny(p.s[p.i:], ":>"); n >= 0 {
				p.routeEnd = p.i + n
			}
		}
		if p.routeEnd < len(p.s) && p.s[p.routeEnd] == ':' {
			a.Route = p.nonEmpty(strings.Join(strings.Fields(p.s[p.i:p.routeEnd]), ""))
			p.i = p.routeEnd + 1
		}
	}
	local, _ := p.words("@>,")
	var host string
	if c, ok := p.peek(); ok && c == '@' {
		p.i++
		local, host = p.domain(local)
	}
	for p.i < len(p.s) && p.s[p.i] != '>' && p.s[p.i] != ',' {
		p.i++
	}
	if c, ok := p.peek(); ok && c == '>' {
		p.i++
	}
	p.skip()
	if phrase == "" {
		phrase = p.comment
	}
	a.Name = p.nonEmpty(phrase)
	a.Mailbox, a.Host = p.strings.pointer(local), p.strings.pointer(host)
	p.add(a)
}
