package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/internal/language"
)

var languageCommand = command{
	name:   "LANGUAGE",
	order:  beside(0, 0),
	states: anyState,
	parse: func(p *wire.Parser) (runner, error) {
		cmd := &chooseLanguage{}
		for !p.EOF() {
			if err := p.SP(); err != nil {
				return nil, err
			}
			r, err := p.AString()
			if err != nil {
				return nil, err
			}
			if len(cmd.ranges) == maxRanges {
				return nil, bad("Too many languages")
			}
			cmd.ranges = append(cmd.ranges, r)
		}
		return cmd, p.End()
	},
}

// maxRanges is how many language ranges LANGUAGE takes.
const maxRanges = 100

// chooseLanguage is LANGUAGE (RFC 5255 section 3). The prefixes of namespaces are what they are in every language, so there is no
// NAMESPACE response.
type chooseLanguage struct {
	ranges []string
}

func (cmd *chooseLanguage) run(_ context.Context, s *session) error {
	if len(cmd.ranges) == 0 {
		s.writeLanguages(language.Tags()...)
		return nil
	}
	tag, ok := language.Match(cmd.ranges...)
	if !ok {
		return no("", "None of these languages is spoken here")
	}
	s.language = tag
	s.writeLanguages(tag)
	return nil
}

func (s *session) writeLanguages(tags ...string) {
	s.w.Raw("* LANGUAGE (")
	for i, tag := range tags {
		if i > 0 {
			s.w.SP()
		}
		s.w.AString(tag)
	}
	s.w.Raw(")\r\n")
}
