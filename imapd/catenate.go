package imapd

import (
	"context"
	"math"
	"path"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/imapurl"
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// badURL answers a command that cannot use a URL (RFC 4469 section 4.1).
func badURL(url, text string) error {
	return no("BADURL "+strings.ReplaceAll(printable(url), "]", "%5D"), text)
}

// catenated finds the bytes that a URL part of CATENATE means: those of a message, or part of one, that this user may read. Only
// relative URLs can mean those (RFC 4469 section 3). \Seen stays as it is.
func (s *session) catenated(ctx context.Context, text string) (*sectionContent, error) {
	u, err := imapurl.Parse(text)
	if err != nil {
		return nil, badURL(text, "Not the URL of a message")
	}
	if u.Absolute() || u.Access.Kind != imapurl.NoAccess {
		return nil, badURL(text, "Only relative URLs can be used here")
	}
	mailbox := u.Mailbox
	if !u.Rooted {
		// The base is the selected mailbox, or the server.
		base := ""
		if s.sel != nil {
			base = s.selName
		}
		if mailbox == "" {
			mailbox = base
			if s.sel != nil && u.UIDValidity == 0 {
				u.UIDValidity = uint32(s.sel.Mailbox().UIDValidity) // another may have that name by now
			}
		} else if i := strings.LastIndexByte(base, mailstore.Delimiter); i >= 0 {
			mailbox = path.Join(base[:i], mailbox)
		}
	}
	var c *sectionContent
	err = s.away(func() error {
		body, section, err := openURL(ctx, s.user, mailbox, u)
		if err != nil {
			return urlError(text, err)
		}
		if c, err = body.content(ctx, section); err == nil && c == nil {
			err = badURL(text, "The message has no such part")
		}
		return err
	})
	return c, err
}

// urlError makes BADURL of what is wrong with a URL, and leaves what is wrong with us.
func urlError(url string, err error) error {
	switch mailerr.KindOf(err) {
	case mailerr.NotFound, mailerr.Permission, mailerr.Expunged, mailerr.Invalid:
		return badURL(url, "No such message")
	}
	return err
}

// openURL opens the message of a URL, in a mailbox of user, and reads what the URL wants of it. NotFound when there is no such
// message; Invalid for a section that is none.
func openURL(ctx context.Context, user *mailstore.User, mailbox string, u *imapurl.URL) (*fetchedBody, *imap.FetchItemBodySection, error) {
	section, err := urlSection(u)
	if err != nil {
		return nil, nil, err
	}
	m, err := user.Message(ctx, mailbox, metadata.UIDValidity(u.UIDValidity), metadata.UID(u.UID))
	if err != nil {
		return nil, nil, err
	}
	body := &fetchedBody{row: m.Body, reader: m.Reader}
	return body, section, body.scan(ctx)
}

// urlSection reads the section and the range of a URL (RFC 5092 section 6, RFC 5550 section 5.7.1).
func urlSection(u *imapurl.URL) (*imap.FetchItemBodySection, error) {
	p := wire.NewParser([]byte("[" + u.Section + "]"))
	section, err := p.Section()
	if err != nil || p.End() != nil {
		return nil, mailerr.New("imapd.url", mailerr.Invalid, "invalid section")
	}
	if u.Partial != nil {
		size := u.Partial.Size
		if size == 0 {
			size = math.MaxInt64
		}
		section.Partial = &imap.SectionPartial{Offset: u.Partial.Offset, Size: size}
	}
	section.Peek = true
	return section, nil
}
