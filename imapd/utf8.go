package imapd

import "github.com/rookery-mail/rookery/imapd/internal/wire"

// enableUTF8 is what ENABLE UTF8=ACCEPT (RFC 6855) and ENABLE IMAP4rev2 do: from now on quoted strings and mailbox names are UTF-8
// both ways.
func (s *session) enableUTF8() {
	s.utf8 = true
	s.w.UTF8(true)
}

// newParser returns a Parser of what the client sent.
func (s *session) newParser(b []byte) *wire.Parser {
	p := wire.NewParser(b)
	p.UTF8(s.utf8)
	return p
}
