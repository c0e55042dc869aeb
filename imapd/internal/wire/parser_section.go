package wire

import (
	"math"

	"github.com/emersion/go-imap/v2"
)

// maxParts bounds the numbers in a section: deeper parts than this no message has.
const maxParts = 256

// Section reads what is between "[" and "]" of BODY[...], brackets included, and an optional <partial>. Header field names
// keep the client's spelling, because the response repeats them.
func (p *Parser) Section() (*imap.FetchItemBodySection, error) {
	if err := p.Expect('['); err != nil {
		return nil, err
	}
	s := &imap.FetchItemBodySection{}
	named, err := p.sectionPart(&s.Part)
	if err != nil {
		return nil, err
	}
	if named {
		if err := p.sectionText(s); err != nil {
			return nil, err
		}
	}
	if err := p.Expect(']'); err != nil {
		return nil, err
	}
	s.Partial, err = p.Partial()
	return s, err
}

// SectionPart reads "[", part numbers or nothing, "]", as BINARY and BINARY.SIZE have it.
func (p *Parser) SectionPart() (part []int, err error) {
	if err := p.Expect('['); err != nil {
		return nil, err
	}
	named, err := p.sectionPart(&part)
	if err != nil {
		return nil, err
	}
	if named {
		return nil, syntax("Invalid section")
	}
	return part, p.Expect(']')
}

// sectionPart reads "1.2.3" or nothing; named reports that a section's name follows, as in "1.HEADER" or "HEADER".
func (p *Parser) sectionPart(part *[]int) (named bool, err error) {
	for p.Peek() >= '0' && p.Peek() <= '9' {
		n, err := p.number(math.MaxInt32)
		if err != nil || n == 0 || len(*part) >= maxParts {
			return false, syntax("Invalid section part")
		}
		*part = append(*part, int(n))
		if !p.Try('.') {
			return false, nil
		}
		if c := p.Peek(); c == ']' || c == 0 {
			return false, syntax("Invalid section part")
		}
	}
	return p.Peek() != ']', nil
}

func (p *Parser) sectionText(s *imap.FetchItemBodySection) error {
	name, err := p.Keyword()
	if err != nil {
		return syntax("Invalid section")
	}
	switch name {
	case "HEADER":
		s.Specifier = imap.PartSpecifierHeader
	case "TEXT":
		s.Specifier = imap.PartSpecifierText
	case "MIME":
		if len(s.Part) == 0 {
			return syntax("MIME needs a part number")
		}
		s.Specifier = imap.PartSpecifierMIME
	case "HEADER.FIELDS":
		s.Specifier = imap.PartSpecifierHeader
		return p.headerList(&s.HeaderFields)
	case "HEADER.FIELDS.NOT":
		s.Specifier = imap.PartSpecifierHeader
		return p.headerList(&s.HeaderFieldsNot)
	default:
		return syntax("Unknown section")
	}
	return nil
}

func (p *Parser) headerList(fields *[]string) error {
	if err := p.SP(); err != nil {
		return err
	}
	err := p.List(func() error {
		f, err := p.AString()
		*fields = append(*fields, f)
		return err
	})
	if err == nil && len(*fields) == 0 {
		return syntax("Empty header list")
	}
	return err
}

// Partial reads "<offset.size>" if it is next; nil without one.
func (p *Parser) Partial() (*imap.SectionPartial, error) {
	if !p.Try('<') {
		return nil, nil
	}
	offset, err := p.Number64()
	if err != nil {
		return nil, err
	}
	if err := p.Expect('.'); err != nil {
		return nil, err
	}
	size, err := p.Number64()
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return nil, syntax("A partial must have a size above 0")
	}
	return &imap.SectionPartial{Offset: int64(offset), Size: int64(size)}, p.Expect('>')
}
