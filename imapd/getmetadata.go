package imapd

import (
	"context"
	"strconv"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
)

var getMetadataCommand = command{
	name:   "GETMETADATA",
	order:  beside(mailboxes|annotations, 0),
	own:    true,
	states: loggedIn,
	parse:  parseGetMetadata,
}

// maxEntries bounds the entries that one command names.
const maxEntries = 200

// getMetadata is GETMETADATA (RFC 5464 section 4.2).
type getMetadata struct {
	name    string // "": the server
	entries []string
	options mailstore.AnnotationOptions
}

func parseGetMetadata(p *wire.Parser) (runner, error) {
	cmd := &getMetadata{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	options := p.Peek() == '('
	if options {
		if err := cmd.parseOptions(p); err != nil {
			return nil, err
		}
	}
	var err error
	if cmd.name, err = p.Mailbox(); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	// The grammar has options before the mailbox, the examples of section 4.2 behind it. No entry's name has the form of either.
	if !options && p.Peek() == '(' && isMetadataOption(p.Rest()[1:]) {
		if err := cmd.parseOptions(p); err != nil {
			return nil, err
		}
	}
	if cmd.entries, err = parseEntries(p); err != nil {
		return nil, err
	}
	return cmd, p.End()
}

// isMetadataOption reports whether an option of GETMETADATA begins here: an entry would begin with a slash.
func isMetadataOption(rest []byte) bool {
	return len(rest) > 0 && ('A' <= upperASCII(rest[0]) && upperASCII(rest[0]) <= 'Z')
}

// parseOptions reads the options and the space behind them.
func (cmd *getMetadata) parseOptions(p *wire.Parser) error {
	depth := false
	err := p.List(func() error {
		option, err := p.Keyword()
		if err != nil {
			return err
		}
		if err := p.SP(); err != nil {
			return err
		}
		switch {
		case option == "MAXSIZE" && cmd.options.MaxSize == nil:
			n, err := p.Number()
			cmd.options.MaxSize = new(int64(n))
			return err
		case option == "DEPTH" && !depth:
			depth = true
			switch {
			case p.TryKeyword("0"):
			case p.TryKeyword("1"):
				cmd.options.Depth = mailstore.DepthOne
			case p.TryKeyword("INFINITY"):
				cmd.options.Depth = mailstore.DepthInfinity
			default:
				return bad("Invalid DEPTH")
			}
			return nil
		}
		return bad("Unknown option")
	})
	if err != nil {
		return err
	}
	return p.SP()
}

// parseEntries reads one entry or several in parentheses.
func parseEntries(p *wire.Parser) (entries []string, err error) {
	if p.Peek() != '(' {
		entry, err := parseEntry(p)
		return []string{entry}, err
	}
	err = p.List(func() error {
		entry, err := parseEntry(p)
		if err == nil && len(entries) >= maxEntries {
			return &wire.SyntaxError{Code: "LIMIT", Text: "Too many entries"}
		}
		entries = append(entries, entry)
		return err
	})
	if err == nil && len(entries) == 0 {
		err = bad("No entries")
	}
	return entries, err
}

// parseEntry reads the name of an entry (RFC 5464 section 3.2).
func parseEntry(p *wire.Parser) (string, error) {
	entry, err := p.AString()
	if err != nil {
		return "", err
	}
	if mailstore.CheckEntry(entry) != nil {
		return "", bad("Invalid entry name")
	}
	return entry, nil
}

func (cmd *getMetadata) run(ctx context.Context, s *session) error {
	var found *mailstore.Annotations
	user := s.user
	err := s.away(func() (err error) {
		found, err = user.Annotations(ctx, cmd.name, cmd.entries, cmd.options)
		return err
	})
	if err != nil {
		return err
	}
	s.writeMetadata(found.Mailbox, found.List)
	if found.Longest > 0 {
		return &statusError{typ: "OK", code: "METADATA LONGENTRIES " + strconv.FormatInt(found.Longest, 10)}
	}
	return nil
}

// writeMetadata writes a METADATA response with values (RFC 5464 section 4.4.1), if there is anything to write.
func (s *session) writeMetadata(mailbox string, list []mailstore.Annotation) {
	if len(list) == 0 {
		return
	}
	s.w.Raw("* METADATA ")
	if mailbox == "" {
		s.w.Raw(`""`)
	} else {
		s.w.Mailbox(mailbox)
	}
	s.w.Raw(" (")
	for i := range list {
		if i > 0 {
			s.w.SP()
		}
		s.w.AString(list[i].Entry).SP()
		s.writeValue(list[i].Value)
	}
	s.w.Raw(")\r\n")
}
