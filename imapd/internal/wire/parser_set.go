package wire

import (
	"math"

	"github.com/emersion/go-imap/v2"
)

// NumRange is First to Last as written, 0 for "*".
type NumRange struct{ First, Last uint32 }

// SequenceSet reads a sequence set; "$" gives saved true (SEARCHRES). The limit of a command's length bounds it.
func (p *Parser) SequenceSet() (set []NumRange, saved bool, err error) {
	if p.Try('$') {
		return nil, true, nil
	}
	for {
		var r NumRange
		if r.First, err = p.seqNumber(); err != nil {
			return nil, false, err
		}
		r.Last = r.First
		if p.Try(':') {
			if r.Last, err = p.seqNumber(); err != nil {
				return nil, false, err
			}
		}
		set = append(set, r)
		if !p.Try(',') {
			return set, false, nil
		}
	}
}

func (p *Parser) seqNumber() (uint32, error) {
	if p.Try('*') {
		return 0, nil
	}
	n, err := p.number(math.MaxUint32)
	if err != nil || n == 0 {
		return 0, syntax("Invalid sequence set")
	}
	return uint32(n), nil
}

// systemFlags are spelled as RFC 9051 section 2.3.2 does, whatever the client's case.
var systemFlags = map[string]imap.Flag{
	"SEEN":     imap.FlagSeen,
	"ANSWERED": imap.FlagAnswered,
	"FLAGGED":  imap.FlagFlagged,
	"DELETED":  imap.FlagDeleted,
	"DRAFT":    imap.FlagDraft,
	"RECENT":   "\\Recent",
}

// Flag reads one flag or keyword. System flags, \Recent among them, come in their own spelling; other names as written.
func (p *Parser) Flag() (imap.Flag, error) {
	system := p.Try('\\')
	a := p.take(classAtom)
	if len(a) == 0 {
		return "", syntax("Expected a flag")
	}
	if !system {
		return imap.Flag(a), nil
	}
	if f, ok := systemFlags[upperString(a)]; ok {
		return f, nil
	}
	return imap.Flag("\\" + string(a)), nil
}

// FlagList reads a parenthesised list of flags.
func (p *Parser) FlagList() ([]imap.Flag, error) {
	flags := []imap.Flag{}
	err := p.List(func() error {
		f, err := p.Flag()
		flags = append(flags, f)
		return err
	})
	return flags, err
}
