package imapd

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// reply is one response of a server: its words, strings and lists.
type reply struct {
	raw   string
	items []any // atom, text, or []any; of tagged and status responses only up to the status
	code  string
	text  string // of status responses
}

// The kinds of what is in a response.
type (
	atom string // also NIL and numbers
	text string // quoted or literal
)

// readReply reads a response. It is stricter than any client: one space between two things, none behind the last.
func readReply(r *bufio.Reader) (*reply, error) {
	var raw strings.Builder
	for {
		line, err := r.ReadString('\n')
		raw.WriteString(line)
		if err != nil {
			return nil, err
		}
		m := literalAhead.FindStringSubmatch(line)
		if m == nil {
			break
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(&raw, r, int64(n)); err != nil {
			return nil, err
		}
	}
	out := &reply{raw: raw.String()}
	if strings.HasPrefix(out.raw, "+ ") {
		return out, nil
	}
	p := replyParser{s: strings.TrimSuffix(out.raw, "\r\n")}
	if !strings.HasSuffix(out.raw, "\r\n") {
		return nil, fmt.Errorf("%q ends badly", out.raw)
	}
	out.items = []any{p.atom()}
	p.space()
	second := p.atom()
	out.items = append(out.items, second)
	switch second {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		p.space()
		if strings.HasPrefix(p.s, "[") {
			code, rest, ok := strings.Cut(p.s[1:], "]")
			if !ok || !strings.HasPrefix(rest, " ") {
				p.fail("response code")
			}
			out.code, p.s = code, strings.TrimPrefix(rest, " ")
		}
		if p.s == "" || strings.ContainsAny(p.s, "\r\n") {
			p.fail("text")
		}
		out.text, p.s = p.s, ""
	default:
		for p.err == nil && p.s != "" {
			out.items = p.next(out.items, false)
		}
	}
	if p.err != nil {
		return nil, fmt.Errorf("%q: %w", out.raw, p.err)
	}
	return out, nil
}

type replyParser struct {
	s   string
	err error
}

func (p *replyParser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%s expected at %.60q", what, p.s)
	}
	p.s = ""
}

func (p *replyParser) space() {
	if p.err == nil && !strings.HasPrefix(p.s, " ") {
		p.fail("space")
		return
	}
	p.s = strings.TrimPrefix(p.s, " ")
}

// atom reads a word; what is in square brackets belongs to it.
func (p *replyParser) atom() atom {
	depth, i := 0, 0
	for ; i < len(p.s); i++ {
		c := p.s[i]
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 && strings.IndexByte(" ()\"{", c) >= 0 || c < ' ' || c > '~' {
			break
		}
	}
	if i == 0 || depth != 0 {
		p.fail("atom")
		return ""
	}
	a := atom(p.s[:i])
	p.s = p.s[i:]
	return a
}

// next reads what comes behind others. Lists follow each other without a space in bodies, addresses and threads.
func (p *replyParser) next(list []any, first bool) []any {
	if !first {
		_, nested := list[len(list)-1].([]any)
		if !nested || !strings.HasPrefix(p.s, "(") {
			p.space()
		}
	}
	return append(list, p.value())
}

func (p *replyParser) value() any {
	switch {
	case strings.HasPrefix(p.s, "("):
		p.s = p.s[1:]
		list := []any{}
		for p.err == nil && !strings.HasPrefix(p.s, ")") {
			list = p.next(list, len(list) == 0)
		}
		p.s = strings.TrimPrefix(p.s, ")")
		return list
	case strings.HasPrefix(p.s, `"`):
		var b strings.Builder
		for i := 1; i < len(p.s); i++ {
			switch c := p.s[i]; c {
			case '\\':
				if i++; i == len(p.s) || p.s[i] != '\\' && p.s[i] != '"' {
					p.fail("quoted")
					return text("")
				}
				b.WriteByte(p.s[i])
			case '"':
				p.s = p.s[i+1:]
				return text(b.String())
			case '\r', '\n', 0:
				p.fail("quoted")
				return text("")
			default:
				b.WriteByte(c)
			}
		}
		p.fail("quoted")
		return text("")
	case strings.HasPrefix(p.s, "{"), strings.HasPrefix(p.s, "~{"):
		head, rest, ok := strings.Cut(strings.TrimPrefix(p.s, "~")[1:], "}\r\n")
		n, err := strconv.Atoi(head)
		if !ok || err != nil || n > len(rest) {
			p.fail("literal")
			return text("")
		}
		p.s = rest[n:]
		return text(rest[:n])
	}
	return p.atom()
}
