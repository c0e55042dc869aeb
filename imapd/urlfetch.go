package imapd

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/imapurl"
	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/message"
)

var urlFetchCommand = command{
	name:   "URLFETCH",
	states: loggedIn,
	parse:  parseURLFetch,
}

// urlFetch is URLFETCH (RFC 4467 section 7), with the parameters of RFC 5524.
type urlFetch struct{ urls []fetchedURL }

// fetchedURL is one URL of a URLFETCH. params is nil for the form without parentheses.
type fetchedURL struct {
	url    string
	params []string
}

func parseURLFetch(p *wire.Parser) (runner, error) {
	cmd := &urlFetch{}
	for !p.EOF() || len(cmd.urls) == 0 {
		if err := p.SP(); err != nil {
			return nil, err
		}
		u, err := parseFetchedURL(p)
		if err != nil {
			return nil, err
		}
		if len(cmd.urls) == maxURLs {
			return nil, bad("Too many URLs")
		}
		cmd.urls = append(cmd.urls, u)
	}
	return cmd, nil
}

func parseFetchedURL(p *wire.Parser) (u fetchedURL, err error) {
	if p.Peek() != '(' {
		u.url, err = p.AString()
		return u, err
	}
	first := true
	err = p.List(func() error {
		if first {
			first = false
			u.url, err = p.AString()
			return err
		}
		param, err := p.Keyword()
		if err != nil {
			return err
		}
		switch param {
		case "BODY", "BINARY", "BODYPARTSTRUCTURE":
			if slices.Contains(u.params, param) {
				return nil
			}
			if param == "BODYPARTSTRUCTURE" { // it comes before what it describes
				u.params = slices.Insert(u.params, 0, param)
			} else {
				u.params = append(u.params, param)
			}
			return nil
		}
		return &wire.SyntaxError{Text: "Unknown URLFETCH parameter"}
	})
	if err == nil && first {
		err = &wire.SyntaxError{Text: "Missing argument"}
	}
	return u, err
}

func (cmd *urlFetch) run(ctx context.Context, s *session) error {
	for i := range cmd.urls {
		u := &cmd.urls[i]
		var got *urlContent
		err := s.away(func() (err error) {
			got, err = s.fetchURL(ctx, u)
			return err
		})
		if err != nil {
			return err
		}
		s.w.Raw("* URLFETCH ").String(u.url)
		if err := got.write(ctx, s, u.params); err != nil {
			return err
		}
		s.w.CRLF()
	}
	return nil
}

// urlContent is what there is for a URL; nil when there is nothing, or nothing for this user.
type urlContent struct {
	body, binary *sectionContent // where asked for; nil: NIL
	structure    *message.Part   // where asked for; nil: there is none
}

// fetchURL reads what a URL means. Whatever is wrong with it, who asks learns no more than that (RFC 4467 section 7); the error
// is trouble of ours.
func (s *session) fetchURL(ctx context.Context, u *fetchedURL) (*urlContent, error) {
	c, err := s.openFetchedURL(ctx, u)
	switch mailerr.KindOf(err) {
	case mailerr.NotFound, mailerr.Permission, mailerr.Expunged, mailerr.Invalid:
		if err != nil {
			return nil, nil //nolint:nilerr // said as NIL
		}
	}
	return c, err
}

func (s *session) openFetchedURL(ctx context.Context, u *fetchedURL) (*urlContent, error) {
	const op = "imapd.URLFETCH"
	url, err := imapurl.Parse(u.url)
	if err != nil || !url.Absolute() || url.Mechanism != urlMechanism || !url.Expire.IsZero() && s.srv.cfg.Now().After(url.Expire) {
		return nil, mailerr.New(op, mailerr.Invalid, "")
	}
	if err := s.mayFetch(ctx, url.Access); err != nil {
		return nil, err
	}
	owner, err := s.srv.accountOf(ctx, url.User)
	if err != nil {
		return nil, err
	}
	user := s.srv.cfg.Store.User(owner)
	if err := user.CheckURLToken(ctx, url.Mailbox, url.Rump, url.Token); err != nil {
		return nil, err
	}
	body, section, err := openURL(ctx, user, url.Mailbox, url)
	if err != nil {
		return nil, err
	}
	if _, ok := sectionSpan(body.structure, section); !ok {
		return nil, mailerr.New(op, mailerr.NotFound, "")
	}
	c := &urlContent{}
	if u.params == nil || slices.Contains(u.params, "BODY") {
		if c.body, err = body.content(ctx, section); err != nil {
			return nil, err
		}
	}
	if slices.Contains(u.params, "BINARY") {
		if c.binary, err = binaryOf(ctx, body, section); err != nil {
			return nil, err
		}
	}
	if slices.Contains(u.params, "BODYPARTSTRUCTURE") {
		if c.structure, err = structureOf(ctx, body, section, c.binary); err != nil {
			return nil, err
		}
	}
	return c, c.load(ctx)
}

// structureOf returns the structure of a part as the part is sent (RFC 5524 section 3.2): with binary that of what it is without its
// encoding. nil for headers and texts, which have none.
func structureOf(ctx context.Context, body *fetchedBody, section *imap.FetchItemBodySection, binary *sectionContent) (*message.Part, error) {
	if section.Specifier != imap.PartSpecifierNone {
		return nil, nil
	}
	if len(section.Part) == 0 {
		return &body.structure.Root, nil
	}
	part := body.structure.PartByPath(section.Part)
	if binary == nil || part.Type == "multipart" || part.Envelope != nil || part.Encoding != "base64" && part.Encoding != "quoted-printable" {
		return part, nil
	}
	sent := *part
	sent.Encoding, sent.BodyOffset, sent.End = "binary", 0, binary.size
	if part.Type == "text" {
		var lines lineCounter
		if _, err := io.CopyN(&lines, binary.reader(ctx), binary.size); err != nil {
			return nil, err
		}
		sent.Lines = int64(lines)
	}
	return &sent, nil
}

// lineCounter counts the line ends of what is written to it.
type lineCounter int64

func (n *lineCounter) Write(p []byte) (int, error) {
	*n += lineCounter(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

// binaryOf returns a section without its encoding; nil for one whose encoding is not known.
func binaryOf(ctx context.Context, body *fetchedBody, section *imap.FetchItemBodySection) (*sectionContent, error) {
	if section.Specifier != imap.PartSpecifierNone {
		return body.content(ctx, section) // headers and texts have none
	}
	c, err := body.binary(ctx, section, &decodedPlaces{})
	if err == errUnknownCTE { //nolint:errorlint // it is never wrapped
		return nil, nil
	}
	return c, err
}

// load reads the beginning of what is long, so that what cannot be read fails before the response begins.
func (c *urlContent) load(ctx context.Context) error {
	for _, part := range []*sectionContent{c.body, c.binary} {
		if part == nil || part.body == nil || part.size == 0 {
			continue
		}
		if err := part.load(ctx, make([]byte, headBytes)); err != nil {
			return err
		}
	}
	return nil
}

// mayFetch applies an access identifier (RFC 4467 section 2.1). Everybody here has logged in with a name.
func (s *session) mayFetch(ctx context.Context, a imapurl.Access) error {
	refused := mailerr.New("imapd.URLFETCH", mailerr.Permission, "")
	switch a.Kind {
	case imapurl.AuthUser, imapurl.Anonymous:
		return nil
	case imapurl.User:
		account, err := s.srv.accountOf(ctx, a.User)
		if err == nil && account != s.account {
			err = refused
		}
		return err
	case imapurl.Submit:
		address, err := s.user.Address(ctx)
		if err == nil && !slices.ContainsFunc(s.srv.cfg.SubmitUsers, func(u string) bool { return strings.EqualFold(u, address) }) {
			err = refused
		}
		return err
	}
	return refused
}

// write writes what follows the URL in the response.
func (c *urlContent) write(ctx context.Context, s *session, params []string) error {
	if c != nil && c.structure == nil { // it cannot be NIL (RFC 5524 section 5)
		params = slices.DeleteFunc(params, func(p string) bool { return p == "BODYPARTSTRUCTURE" })
	}
	switch {
	case c == nil || params != nil && len(params) == 0:
		s.w.Raw(" NIL")
		return s.w.Err()
	case params == nil:
		s.w.SP()
		return c.body.writeOrNIL(ctx, s.w)
	}
	for _, param := range params {
		s.w.Raw(" (").Raw(param).SP()
		var err error
		switch param {
		case "BODY":
			err = c.body.writeOrNIL(ctx, s.w)
		case "BINARY":
			err = c.binary.writeOrNIL(ctx, s.w)
		default:
			writeBodyStructure(s.w, c.structure, true)
		}
		if err != nil {
			return err
		}
		s.w.Byte(')')
	}
	return nil
}

// writeOrNIL is write, or NIL for nil.
func (c *sectionContent) writeOrNIL(ctx context.Context, w *wire.Writer) error {
	if c == nil {
		w.Raw("NIL")
		return w.Err()
	}
	return c.write(ctx, w)
}
