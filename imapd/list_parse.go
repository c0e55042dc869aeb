package imapd

import (
	"golang.org/x/text/unicode/norm"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// maxPatterns bounds the patterns of one LIST, maxListEntries the entries of METADATA.
const (
	maxPatterns    = 100
	maxListEntries = 100
)

func parseList(p *wire.Parser) (runner, error) {
	cmd := &list{}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.Peek() == '(' {
		cmd.extended = true
		if err := cmd.parseSelection(p); err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	reference, err := p.ListMailbox()
	if err != nil {
		return nil, err
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	add := func() error {
		text, err := p.ListMailbox()
		if err != nil {
			return err
		}
		if len(cmd.patterns) >= maxPatterns {
			return bad("Too many patterns")
		}
		if text == "" && !cmd.extended {
			cmd.root = true
		}
		if text != "" {
			text = reference + text
		}
		cmd.patterns = append(cmd.patterns, compilePattern(norm.NFC.String(text)))
		return nil
	}
	if p.Peek() == '(' {
		cmd.extended = true
		if err := p.List(add); err != nil {
			return nil, err
		}
	} else if err := add(); err != nil {
		return nil, err
	}
	if p.EOF() {
		return cmd, nil
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if !p.TryKeyword("RETURN") {
		return nil, bad("Expected RETURN")
	}
	cmd.extended = true
	if err := p.SP(); err != nil {
		return nil, err
	}
	if err := cmd.parseReturn(p); err != nil {
		return nil, err
	}
	return cmd, p.End()
}

// parseSelection reads the selection options of RFC 5258 section 3.1 and RFC 6154 section 2.
func (cmd *list) parseSelection(p *wire.Parser) error {
	err := p.List(func() error {
		option, err := p.Keyword()
		if err != nil {
			return err
		}
		switch option {
		case "SUBSCRIBED":
			cmd.selectSubscribed = true
		case "SPECIAL-USE":
			cmd.selectSpecialUse = true
		case "RECURSIVEMATCH":
			cmd.recursive = true
		case "REMOTE": // there are none
		default:
			return bad("Unknown selection option")
		}
		return nil
	})
	if err == nil && cmd.recursive && !cmd.selectSubscribed && !cmd.selectSpecialUse {
		return bad("RECURSIVEMATCH needs another selection option")
	}
	return err
}

// parseReturn reads the return options of RFC 5258 section 3.2, RFC 6154 section 2, RFC 5819, RFC 8440 and RFC 9590.
func (cmd *list) parseReturn(p *wire.Parser) error {
	return p.List(func() error {
		option, err := p.Keyword()
		if err != nil {
			return err
		}
		switch option {
		case "SUBSCRIBED":
			cmd.returnSubscribed = true
		case "MYRIGHTS": // RFC 8440
			cmd.returnMyRights = true
		case "METADATA": // RFC 9590
			if err := p.SP(); err != nil {
				return err
			}
			if p.Peek() != '(' {
				return bad("Expected a list of entries")
			}
			cmd.entries, err = parseEntries(p)
			if err == nil && len(cmd.entries) > maxListEntries {
				err = &wire.SyntaxError{Code: "LIMIT", Text: "Too many entries"}
			}
			return err
		case "CHILDREN", "SPECIAL-USE": // always told
		case "STATUS":
			if err := p.SP(); err != nil {
				return err
			}
			cmd.statusItems, err = parseStatusItems(p)
			return err
		default:
			return bad("Unknown return option")
		}
		return nil
	})
}
