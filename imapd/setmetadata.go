package imapd

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var setMetadataCommand = command{
	name:   "SETMETADATA",
	order:  beside(mailboxes, annotations),
	states: loggedIn,
	parse:  parseSetMetadata,
}

// setMetadata is SETMETADATA (RFC 5464 section 4.3).
type setMetadata struct {
	name    string // "": the server
	changes []mailstore.Annotation
}

func parseSetMetadata(p *wire.Parser) (runner, error) {
	cmd := &setMetadata{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	var err error
	if cmd.name, err = p.Mailbox(); err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	err = p.List(func() error {
		entry, err := parseEntry(p)
		if err != nil {
			return err
		}
		if !mailstore.IsAnnotation(entry) {
			return bad("Incomplete entry name")
		}
		if err := p.SP(); err != nil {
			return err
		}
		value, err := parseValue(p)
		if err != nil {
			return err
		}
		if len(cmd.changes) >= maxEntries {
			return &wire.SyntaxError{Code: "LIMIT", Text: "Too many entries"}
		}
		cmd.changes = append(cmd.changes, mailstore.Annotation{Entry: entry, Value: value})
		return nil
	})
	if err == nil && len(cmd.changes) == 0 {
		err = bad("No entries")
	}
	if err != nil {
		return nil, err
	}
	return cmd, p.End()
}

// parseValue reads a value: nil for NIL.
func parseValue(p *wire.Parser) ([]byte, error) {
	if p.Peek() == '~' {
		b, err := p.Literal8()
		return append([]byte{}, b...), err // what is parsed is part of the Reader's buffer
	}
	text, ok, err := p.NString()
	if !ok || err != nil {
		return nil, err
	}
	return []byte(text), nil
}

func (cmd *setMetadata) run(ctx context.Context, s *session) error {
	if cmd.name == "" {
		for _, c := range cmd.changes {
			if name, ok := filterName(c.Entry); ok && c.Value != nil {
				if err := checkFilter(name, c.Value); err != nil {
					return err
				}
			}
		}
	}
	err := s.user.SetAnnotations(ctx, cmd.name, cmd.changes, mailstore.SetAnnotationsOptions{Administrator: s.administrator})
	switch mailerr.KindOf(err) {
	case mailerr.TooBig:
		return no("METADATA MAXSIZE "+strconv.Itoa(metadata.MaxAnnotationValue), "The value is too large")
	case mailerr.Limit:
		return no("METADATA TOOMANY", "There are too many annotations")
	}
	if err != nil {
		return err
	}
	if s.notify != nil && s.notify.wants(metadataEvents) {
		own := ownChange{annotated: cmd.name, annotations: make(map[string]metadata.AnnotationDigest, len(cmd.changes))}
		for _, c := range cmd.changes {
			own.annotations[strings.ToLower(c.Entry)] = metadata.DigestAnnotation(c.Value)
		}
		s.namesChanged(ctx, own)
	}
	return nil
}

// writeValue writes NIL, a string, or a literal8 for what no string may hold.
func (s *session) writeValue(value []byte) {
	switch {
	case value == nil:
		s.w.Raw("NIL")
	case bytes.IndexByte(value, 0) >= 0:
		_ = s.w.Literal8(int64(len(value)), bytes.NewReader(value)) // sticks
	default:
		s.w.String(string(value))
	}
}
