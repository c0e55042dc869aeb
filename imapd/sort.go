package imapd

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

var sortCommand = command{
	name:   "SORT",
	own:    true,
	states: selected,
	seqs:   true,
	parse:  func(p *wire.Parser) (runner, error) { return parseSort(p, false) },
}

var uidSortCommand = command{
	name:   "UID SORT",
	own:    true,
	states: selected,
	parse:  func(p *wire.Parser) (runner, error) { return parseSort(p, true) },
}

// parseSort reads SORT and UID SORT (RFC 5256), with the criteria of RFC 5957 and RETURN of RFC 5267: a SEARCH whose results
// come in another order.
func parseSort(p *wire.Parser, uid bool) (runner, error) {
	c := &search{name: "SORT", uid: uid}
	if err := p.SP(); err != nil {
		return nil, err
	}
	if p.TryKeyword("RETURN") {
		if err := c.parseReturn(p); err != nil {
			return nil, err
		}
	}
	err := p.List(func() error {
		reverse := p.TryKeyword("REVERSE")
		if reverse {
			if err := p.SP(); err != nil {
				return err
			}
		}
		name, err := p.Keyword()
		if err != nil {
			return err
		}
		key, ok := sortKeys[name]
		if !ok {
			return &wire.SyntaxError{Text: "Unknown sort criterion"}
		}
		// What a criterion leaves equal, the same one cannot order.
		if !slices.ContainsFunc(c.criteria, func(have sortCriterion) bool { return have.key == key }) {
			c.criteria = append(c.criteria, sortCriterion{key, reverse})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(c.criteria) == 0 {
		return nil, &wire.SyntaxError{Text: "No sort criteria"}
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	return c, c.parseKeys(p, true)
}

type sortKey uint8

const (
	sortArrival sortKey = iota
	sortSize
	sortDate // this one and those after it need the summary
	sortCc
	sortFrom
	sortTo
	sortDisplayFrom
	sortDisplayTo
	sortSubject
)

var sortKeys = map[string]sortKey{
	"ARRIVAL": sortArrival, "SIZE": sortSize, "DATE": sortDate, "CC": sortCc, "FROM": sortFrom, "TO": sortTo,
	"DISPLAYFROM": sortDisplayFrom, "DISPLAYTO": sortDisplayTo, "SUBJECT": sortSubject,
}

// sortCriterion is a criterion of RFC 5256 or 5957.
type sortCriterion struct {
	key     sortKey
	reverse bool
}

const (
	// maxSortString is how much of a text is compared, in bytes of i;unicode-casemap: longer ones that begin alike are equal.
	maxSortString = 1 << 10
	// maxSortBytes bounds the texts that are compared in one SORT.
	maxSortBytes = 128 << 20
)

// sortValue is what a message has for a criterion: a number or a text.
type sortValue struct {
	number int64
	text   []byte
}

// sortRow is a message being sorted.
type sortRow struct {
	hit    searchHit
	values []sortValue // by criterion
}

// compareSortRows compares by the criteria; equal ones stay in the order of the mailbox.
func compareSortRows(criteria []sortCriterion, a, b *sortRow) int {
	for i, c := range criteria {
		n := cmp.Compare(a.values[i].number, b.values[i].number)
		if n == 0 {
			n = bytes.Compare(a.values[i].text, b.values[i].text)
		}
		if c.reverse {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return cmp.Compare(a.hit.uid, b.hit.uid)
}

// sort brings the messages found into the order of the criteria.
func (r *searchRun) sort(criteria []sortCriterion) error {
	var err error
	if r.rows, err = r.sortRows(criteria); err != nil {
		return err
	}
	r.hits = r.hits[:0]
	for i := range r.rows {
		r.hits = append(r.hits, r.rows[i].hit)
	}
	return nil
}

// sortRows returns the messages found in the order of the criteria.
func (r *searchRun) sortRows(criteria []sortCriterion) ([]sortRow, error) {
	summaries := slices.ContainsFunc(criteria, func(c sortCriterion) bool { return c.key >= sortDate })
	rows := make([]sortRow, 0, len(r.hits))
	values := make([]sortValue, 0, len(r.hits)*len(criteria))
	size := 0
	err := r.summaries(summaries, func(h searchHit, m *metadata.Message, st *message.Structure) error {
		first := len(values)
		for _, c := range criteria {
			v := sortValueOf(c.key, m, st)
			size += len(v.text)
			values = append(values, v)
		}
		if size > maxSortBytes {
			return no("LIMIT", "Too much to sort")
		}
		rows = append(rows, sortRow{h, values[first:]})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b sortRow) int { return compareSortRows(criteria, &a, &b) })
	return rows, nil
}

// sortValueOf returns what a message has for a criterion. st may be nil where the summary is not needed.
func sortValueOf(key sortKey, m *metadata.Message, st *message.Structure) sortValue {
	switch key {
	case sortArrival:
		return sortValue{number: m.InternalDate.UnixMicro()}
	case sortSize:
		return sortValue{number: m.Size}
	case sortDate:
		return sortValue{number: sentDate(m, st)}
	}
	env := &st.Envelope
	text := ""
	switch key {
	case sortCc:
		text = addressMailbox(env.Cc)
	case sortFrom:
		text = addressMailbox(env.From)
	case sortTo:
		text = addressMailbox(env.To)
	case sortDisplayFrom:
		text = displayName(env.From)
	case sortDisplayTo:
		text = displayName(env.To)
	case sortSubject:
		if env.Subject != nil {
			text, _ = message.BaseSubject(*env.Subject)
		}
	}
	value := casemap(text)
	if len(value) > maxSortString {
		value = bytes.Clone(value[:maxSortString])
	}
	return sortValue{text: value}
}

// sentDate returns the sent date of RFC 5256 section 2.2, in seconds: that of the Date field, or the internal date.
func sentDate(m *metadata.Message, st *message.Structure) int64 {
	if date := st.Envelope.Date; date != nil {
		if unix, _, ok := message.ParseDate(*date); ok {
			return unix
		}
	}
	return m.InternalDate.Unix()
}

// addressMailbox returns the first address's addr-mailbox: its local part, or a group's name.
func addressMailbox(list []message.Address) string {
	if len(list) == 0 || list[0].Mailbox == nil {
		return ""
	}
	return decodeNeedle(*list[0].Mailbox)
}

// displayName returns the first address's sort value of RFC 5957 section 3: its name, or else the address.
func displayName(list []message.Address) string {
	if len(list) == 0 {
		return ""
	}
	a := &list[0]
	if a.Name != nil {
		if name := message.DecodeHeader(*a.Name); name != "" {
			return name
		}
	}
	name := addressMailbox(list)
	if a.Mailbox != nil && a.Host != nil {
		name += "@" + decodeNeedle(*a.Host)
	}
	return name
}
