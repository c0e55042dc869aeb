package imapd

import (
	"bytes"
	"strconv"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
)

// sectionName returns how a response names a section: "BODY[1.HEADER.FIELDS (From To)]<0>", without the size of a partial.
// Field names keep the client's spelling.
func sectionName(s *imap.FetchItemBodySection) string {
	var b bytes.Buffer
	b.WriteString("BODY[")
	for i, n := range s.Part {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.Itoa(n))
	}
	if s.Specifier != imap.PartSpecifierNone {
		if len(s.Part) > 0 {
			b.WriteByte('.')
		}
		b.WriteString(string(s.Specifier))
	}
	fields := s.HeaderFields
	switch {
	case len(s.HeaderFields) > 0:
		b.WriteString(".FIELDS (")
	case len(s.HeaderFieldsNot) > 0:
		b.WriteString(".FIELDS.NOT (")
		fields = s.HeaderFieldsNot
	}
	if len(fields) > 0 {
		w := wire.NewWriter(&b, 512)
		for i, f := range fields {
			if i > 0 {
				w.SP()
			}
			w.AString(f)
		}
		_ = w.Flush() // bytes.Buffer takes everything
		b.WriteByte(')')
	}
	b.WriteByte(']')
	if s.Partial != nil {
		b.WriteByte('<')
		b.WriteString(strconv.FormatInt(s.Partial.Offset, 10))
		b.WriteByte('>')
	}
	return b.String()
}

// wholeMessage reports whether the section is BODY[], with or without a partial.
func wholeMessage(s *imap.FetchItemBodySection) bool {
	return s.Specifier == imap.PartSpecifierNone && len(s.Part) == 0
}

// headerFields reports whether the section is some of a header's fields.
func headerFields(s *imap.FetchItemBodySection) bool {
	return len(s.HeaderFields) > 0 || len(s.HeaderFieldsNot) > 0
}

// span is bytes of a message, from off up to but not including end.
type span struct{ off, end int64 }

// sectionSpan returns where a section's bytes are (of HEADER.FIELDS: the whole header). ok is false when the message has no
// such section.
func sectionSpan(st *message.Structure, s *imap.FetchItemBodySection) (at span, ok bool) {
	if wholeMessage(s) {
		return span{0, st.Size}, true
	}
	p := st.PartByPath(s.Part)
	if p == nil {
		return span{}, false
	}
	switch s.Specifier {
	case imap.PartSpecifierMIME:
		return span{p.HeaderOffset, p.BodyOffset}, true
	case imap.PartSpecifierHeader, imap.PartSpecifierText:
		// RFC 9051 section 6.4.5: below the top they refer to the header and text of an embedded message.
		if len(s.Part) > 0 {
			if p.Envelope == nil || len(p.Children) == 0 {
				return span{}, false
			}
			p = &p.Children[0]
		}
		if s.Specifier == imap.PartSpecifierHeader {
			return span{p.HeaderOffset, p.BodyOffset}, true
		}
	}
	return span{p.BodyOffset, p.End}, true
}

// partial narrows a span to a section's partial; one that begins behind the end is empty (RFC 9051 section 6.4.5).
func (at span) partial(p *imap.SectionPartial) span {
	if p == nil {
		return at
	}
	size := at.end - at.off
	from := min(p.Offset, size)
	return span{at.off + from, at.off + from + min(p.Size, size-from)}
}
