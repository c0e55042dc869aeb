package wire

import (
	"strings"
	"unicode/utf8"
)

// Mailbox reads a mailbox name and returns it in UTF-8: modified UTF-7 decoded (or UTF-8 as it is; see UTF8), INBOX in upper case.
func (p *Parser) Mailbox() (string, error) {
	name, _, err := p.MailboxAsGiven()
	return name, err
}

// MailboxAsGiven is Mailbox, and also returns the name with INBOX as the client spelled it.
func (p *Parser) MailboxAsGiven() (name, given string, err error) {
	if given, err = p.AString(); err != nil {
		return "", "", err
	}
	if strings.EqualFold(given, "INBOX") {
		return "INBOX", given, nil
	}
	name, err = p.mailboxName(given)
	return name, name, err
}

func (p *Parser) mailboxName(name string) (string, error) {
	if p.utf8 && utf8.ValidString(name) {
		return name, nil
	}
	return mailboxName(name)
}

func mailboxName(name string) (string, error) {
	for i := range len(name) {
		if name[i] >= 0x80 {
			// A client that sends 8-bit names sends UTF-8 (RFC 6855), where "&" is itself.
			if !utf8.ValidString(name) {
				return "", syntax("Mailbox name is neither modified UTF-7 nor UTF-8")
			}
			return name, nil
		}
	}
	s, ok := DecodeUTF7(name)
	if !ok {
		return "", syntax("Mailbox name is not modified UTF-7")
	}
	return s, nil
}

// ListMailbox reads a LIST pattern and returns it in UTF-8. A pattern that is not modified UTF-7 stands for itself.
func (p *Parser) ListMailbox() (string, error) {
	pattern := string(p.take(classList))
	if pattern == "" {
		var err error
		if pattern, err = p.String(); err != nil {
			return "", err
		}
	}
	if name, err := p.mailboxName(pattern); err == nil {
		return name, nil
	}
	return strings.ToValidUTF8(pattern, "\uFFFD"), nil
}
