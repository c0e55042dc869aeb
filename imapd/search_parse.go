package imapd

import (
	"math"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// maxSearchKeys bounds the keys of one SEARCH, and with them how deep they are nested.
const maxSearchKeys = 2000

// searchProgram is the keys of a SEARCH, ready to be evaluated.
type searchProgram struct {
	root    searchKey
	content []*contentKey
	binders []binder
	threads []*threadKey
	filters []*filterKey // FILTER, to be looked up before the program is bound
	modseq  bool         // MODSEQ is among the keys
	numbers bool         // message sequence numbers are
	keys    int          // how many there are, those of filters included
}

// binder is a key whose meaning depends on when and where it is evaluated.
type binder interface {
	bind(in searchScope)
}

func (g *searchProgram) bind(in searchScope) {
	for _, b := range g.binders {
		b.bind(in)
	}
}

// searchParser reads search keys.
type searchParser struct {
	*wire.Parser
	program *searchProgram
	decode  func(string) string // search strings to UTF-8
}

// parseSearchProgram reads all keys to the end of the command.
func parseSearchProgram(p *wire.Parser, decode func(string) string) (*searchProgram, error) {
	sp := searchParser{Parser: p, program: &searchProgram{}, decode: decode}
	root, err := sp.all()
	sp.program.root = root
	return sp.program, err
}

// all reads search keys to the end.
func (p *searchParser) all() (andKey, error) {
	var all andKey
	for {
		k, err := p.key()
		if err != nil {
			return nil, err
		}
		all = append(all, k)
		if p.EOF() {
			return all, nil
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
}

var errSearchKeys = &wire.SyntaxError{Code: "LIMIT", Text: "Too many search keys"}

// flagKeys are the keys about system flags, and their opposites.
var flagKeys = map[string]searchKey{
	"ALL": allKey{},

	"SAVEDATESUPPORTED": allKey{}, // RFC 8514

	"ANSWERED":   flagKey(metadata.FlagAnswered),
	"DELETED":    flagKey(metadata.FlagDeleted),
	"DRAFT":      flagKey(metadata.FlagDraft),
	"FLAGGED":    flagKey(metadata.FlagFlagged),
	"SEEN":       flagKey(metadata.FlagSeen),
	"UNANSWERED": notKey{flagKey(metadata.FlagAnswered)},
	"UNDELETED":  notKey{flagKey(metadata.FlagDeleted)},
	"UNDRAFT":    notKey{flagKey(metadata.FlagDraft)},
	"UNFLAGGED":  notKey{flagKey(metadata.FlagFlagged)},
	"UNSEEN":     notKey{flagKey(metadata.FlagSeen)},
	"RECENT":     recentKey{},
	"OLD":        notKey{recentKey{}},
	"NEW":        andKey{recentKey{}, notKey{flagKey(metadata.FlagSeen)}},
}

// key reads one search key.
func (p *searchParser) key() (searchKey, error) {
	if p.program.keys++; p.program.keys > maxSearchKeys {
		return nil, errSearchKeys
	}
	switch c := p.Peek(); {
	case c == '(':
		return p.group()
	case c == '*' || c == '$' || '0' <= c && c <= '9':
		return p.set(false)
	}
	name, err := p.Keyword()
	if err != nil {
		return nil, err
	}
	if k, ok := flagKeys[name]; ok {
		return k, nil
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	switch name {
	case "NOT":
		k, err := p.key()
		return notKey{k}, err
	case "OR":
		a, err := p.key()
		if err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
		b, err := p.key()
		return orKey{a, b}, err
	case "UID":
		return p.set(true)
	case "UIDAFTER", "UIDBEFORE":
		return p.uidsBeyond(name == "UIDAFTER")
	case "KEYWORD", "UNKEYWORD":
		return p.keyword(name == "UNKEYWORD")
	case "LARGER", "SMALLER":
		n, err := p.Number64()
		if name == "LARGER" {
			return sizeKey{int64(n), math.MaxInt64}, err
		}
		return sizeKey{-1, int64(n)}, err
	case "FILTER":
		return p.filter()
	case "EMAILID":
		return p.emailID()
	case "THREADID":
		return p.threadID()
	case "BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE", "SAVEDBEFORE", "SAVEDON", "SAVEDSINCE":
		return p.date(name)
	case "OLDER", "YOUNGER":
		return p.age(name == "YOUNGER")
	case "MODSEQ":
		return p.modseqKey()
	case "BCC", "CC", "FROM", "SUBJECT", "TO":
		return p.content(name, false)
	case "BODY", "TEXT":
		return p.content("", name == "TEXT")
	case "HEADER":
		field, err := p.AString()
		if err != nil {
			return nil, err
		}
		if field == "" {
			return nil, &wire.SyntaxError{Text: "Empty field name"}
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
		return p.content(strings.TrimSuffix(field, ":"), false)
	}
	return nil, &wire.SyntaxError{Text: "Unknown search key"}
}

func (p *searchParser) group() (searchKey, error) {
	var all andKey
	err := p.List(func() error {
		k, err := p.key()
		all = append(all, k)
		return err
	})
	if err == nil && len(all) == 0 {
		err = &wire.SyntaxError{Text: "Empty list of search keys"}
	}
	return all, err
}

func (p *searchParser) set(uid bool) (searchKey, error) {
	set, err := parseMessageSet(p.Parser, uid)
	k := &setKey{set: set}
	p.program.binders = append(p.program.binders, k)
	p.program.numbers = p.program.numbers || !uid && !set.saved
	return k, err
}

// uidsBeyond reads the keys of RFC 9738 section 3.2.
func (p *searchParser) uidsBeyond(after bool) (searchKey, error) {
	n, err := p.Number()
	if err == nil && n == 0 {
		err = &wire.SyntaxError{Text: "Invalid sequence set"}
	}
	k := &setKey{set: messageSet{uid: true}}
	switch {
	case after && n < math.MaxUint32:
		k.set.ranges = []mailstore.SeqRange{{First: n + 1, Last: math.MaxUint32}}
	case !after && n > 1:
		k.set.ranges = []mailstore.SeqRange{{First: 1, Last: n - 1}}
	}
	p.program.binders = append(p.program.binders, k)
	return k, err
}

func (p *searchParser) keyword(not bool) (searchKey, error) {
	f, err := p.Flag()
	if err != nil {
		return nil, err
	}
	system, _, err := storedFlags([]imap.Flag{f})
	if err != nil {
		return nil, err
	}
	var k searchKey = keywordKey(f)
	switch { // system flags are not in the grammar, but there is only one thing they can mean
	case f == `\Recent`:
		k = recentKey{}
	case system != 0:
		k = flagKey(system)
	}
	if not {
		k = notKey{k}
	}
	return k, nil
}

func (p *searchParser) date(name string) (searchKey, error) {
	t, err := p.Date()
	if err != nil {
		return nil, err
	}
	d := t.Unix() / day
	name, sent := strings.CutPrefix(name, "SENT")
	name, saved := strings.CutPrefix(name, "SAVED")
	k := dateKey{d, d + 1}
	switch name {
	case "BEFORE":
		k = dateKey{math.MinInt64, d}
	case "SINCE":
		k = dateKey{d, math.MaxInt64}
	}
	switch {
	case sent:
		return sentKey{k}, nil
	case saved:
		return savedKey{k}, nil
	}
	return k, nil
}

func (p *searchParser) age(younger bool) (searchKey, error) {
	n, err := p.Number64()
	if err == nil && n == 0 {
		err = &wire.SyntaxError{Text: "An interval must be above 0"}
	}
	k := &ageKey{seconds: n, younger: younger}
	p.program.binders = append(p.program.binders, k)
	return k, err
}

// modseqKey reads MODSEQ's arguments. All metadata of a message share one MODSEQ here, so the entry's name and type are
// ignored (RFC 7162 section 3.1.5).
func (p *searchParser) modseqKey() (searchKey, error) {
	if p.Peek() == '"' {
		if _, err := p.String(); err != nil {
			return nil, err
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
		switch typ, err := p.Keyword(); {
		case err != nil:
			return nil, err
		case typ != "PRIV" && typ != "SHARED" && typ != "ALL":
			return nil, &wire.SyntaxError{Text: "Unknown entry type"}
		}
		if err := p.SP(); err != nil {
			return nil, err
		}
	}
	n, err := p.Number64()
	p.program.modseq = true
	return modseqKey(n), err
}

func (p *searchParser) content(field string, head bool) (searchKey, error) {
	s, err := p.AString()
	if err != nil {
		return nil, err
	}
	k := &contentKey{
		index: len(p.program.content),
		name:  field,
		text:  casemap(p.decode(s)),
		head:  head,
	}
	p.program.content = append(p.program.content, k)
	return k, nil
}
