package imapd

import (
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// appendSyntax reads the messages of an APPEND or REPLACE (RFC 4466 section 2.3) in the pieces in which they come: its literals are
// not part of the command as it was parsed. It is a value, so that a copy of it can look ahead.
type appendSyntax struct {
	state  appendState
	single bool // one message and no more
}

type appendState uint8

const (
	appendFirst     appendState = iota // a message is expected
	appendNext                         // a message or the command's end
	appendMessage                      // the literal that is a message
	appendUTF8                         // the literal8 of UTF8 (~{n})
	appendPart                         // a part of CATENATE
	appendClose                        // ")" behind UTF8's literal
	appendParts                        // another part of CATENATE, or ")"
	appendWhole                        // nothing more of this message
	appendClosePart                    // ")" behind the literal of a UTF8 part of CATENATE
)

// appendEvent is what comes next in an APPEND.
type appendEvent struct {
	kind  appendEventKind
	flags []imap.Flag // of appendBegin
	date  time.Time   // of appendBegin; zero: now
	utf8  bool        // of appendLiteral: it was announced by UTF8
	url   string      // of appendURL
}

type appendEventKind uint8

const (
	appendBegin   appendEventKind = iota // a message begins
	appendLiteral                        // its next bytes are a literal, whose announcement was not read yet
	appendURL                            // its next bytes are what a URL means
	appendEnd                            // the message ends
	appendDone                           // the command ends
)

// next reads one event.
func (x *appendSyntax) next(p *wire.Parser) (ev appendEvent, err error) {
	switch x.state {
	case appendNext:
		if p.EOF() || x.single {
			return appendEvent{kind: appendDone}, p.End()
		}
		return x.begin(p)
	case appendFirst:
		return x.begin(p)
	case appendMessage:
		x.state = appendWhole
		return appendEvent{kind: appendLiteral}, nil
	case appendUTF8:
		x.state = appendClose
		return appendEvent{kind: appendLiteral, utf8: true}, nil
	case appendClose:
		if err := p.Expect(')'); err != nil {
			return ev, err
		}
	case appendPart:
		return x.part(p)
	case appendClosePart, appendParts:
		if x.state == appendClosePart {
			if err := p.Expect(')'); err != nil {
				return ev, err
			}
			x.state = appendParts
		}
		if p.Try(')') {
			break
		}
		if err := p.SP(); err != nil {
			return ev, err
		}
		return x.part(p)
	}
	x.state = appendNext
	return appendEvent{kind: appendEnd}, nil
}

// begin reads a message's options and what kind of data follows.
func (x *appendSyntax) begin(p *wire.Parser) (ev appendEvent, err error) {
	if err := p.SP(); err != nil {
		return ev, err
	}
	if p.Peek() == '(' {
		if ev.flags, err = p.FlagList(); err != nil {
			return ev, err
		}
		if err := p.SP(); err != nil {
			return ev, err
		}
	}
	if p.Peek() == '"' {
		if ev.date, err = p.DateTime(); err != nil {
			return ev, err
		}
		if err := p.SP(); err != nil {
			return ev, err
		}
	}
	switch {
	case p.TryKeyword("UTF8"):
		x.state = appendUTF8
	case p.TryKeyword("CATENATE"):
		x.state = appendPart
	default:
		x.state = appendMessage
		return ev, nil
	}
	if err := p.SP(); err != nil {
		return ev, err
	}
	return ev, p.Expect('(')
}

// part reads a cat-part (RFC 4469 section 5, RFC 6855 section 4).
func (x *appendSyntax) part(p *wire.Parser) (ev appendEvent, err error) {
	switch {
	case p.TryKeyword("TEXT"):
		x.state = appendParts
		return appendEvent{kind: appendLiteral}, p.SP()
	case p.TryKeyword("UTF8"):
		x.state = appendClosePart
		if err := p.SP(); err != nil {
			return ev, err
		}
		return appendEvent{kind: appendLiteral, utf8: true}, p.Expect('(')
	case p.TryKeyword("URL"):
		x.state = appendParts
		if err := p.SP(); err != nil {
			return ev, err
		}
		url, err := p.AString()
		return appendEvent{kind: appendURL, url: url}, err
	}
	return ev, &wire.SyntaxError{Text: "Expected TEXT, UTF8 or URL"}
}

// wantsLiteral reports whether p, a piece of the command up to a literal's announcement, ends where message bytes begin.
func (x appendSyntax) wantsLiteral(p *wire.Parser) bool {
	for {
		switch ev, err := x.next(p); {
		case err != nil, ev.kind == appendDone:
			return false
		case ev.kind == appendLiteral:
			return p.EOF()
		}
	}
}
