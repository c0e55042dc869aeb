package imapd

import (
	"bytes"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/message"
	"github.com/rookery-mail/rookery/metadata"
)

// verdict is what is known of whether a message matches a key.
type verdict uint8

const (
	unsure verdict = iota // more of the message must be looked at
	misses
	matches
)

func verdictOf(b bool) verdict {
	if b {
		return matches
	}
	return misses
}

// candidate is a message being searched. What is not known yet is nil.
type candidate struct {
	row       *metadata.Message
	recent    bool
	structure *message.Structure // from the body's row
	found     []bool             // of each contentKey by its index, after the message was read
}

// searchKey is a search key with its arguments. eval is called again when more of the candidate is known.
type searchKey interface {
	eval(c *candidate) verdict
}

type allKey struct{}

func (allKey) eval(*candidate) verdict { return matches }

type notKey struct{ key searchKey }

func (k notKey) eval(c *candidate) verdict {
	switch k.key.eval(c) {
	case matches:
		return misses
	case misses:
		return matches
	}
	return unsure
}

type andKey []searchKey

func (k andKey) eval(c *candidate) verdict {
	all := matches
	for _, key := range k {
		switch key.eval(c) {
		case misses:
			return misses
		case unsure:
			all = unsure
		}
	}
	return all
}

type orKey [2]searchKey

func (k orKey) eval(c *candidate) verdict {
	a := k[0].eval(c)
	if a == matches {
		return matches
	}
	b := k[1].eval(c)
	if b == matches || a == misses {
		return b
	}
	return unsure
}

type flagKey metadata.Flags

func (k flagKey) eval(c *candidate) verdict {
	return verdictOf(c.row.Flags&metadata.Flags(k) != 0)
}

type keywordKey string

func (k keywordKey) eval(c *candidate) verdict {
	for rest := c.row.Keywords; rest != ""; {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		if strings.EqualFold(word, string(k)) {
			return matches
		}
	}
	return misses
}

type recentKey struct{}

func (recentKey) eval(c *candidate) verdict { return verdictOf(c.recent) }

// setKey is a sequence set or UID.
type setKey struct {
	set  messageSet
	uids metadata.UIDSet // after bind
}

func (k *setKey) bind(in searchScope) {
	switch {
	case k.set.saved:
		k.uids = in.saved
	case k.set.uid:
		k.uids = openRanges(k.set.ranges, in.sel.UID(mailstore.SeqNum(in.sel.NumMessages())))
	default:
		k.uids = k.set.resolveIn(in.sel)
	}
}

func (k *setKey) eval(c *candidate) verdict { return verdictOf(k.uids.Contains(c.row.UID)) }

// sizeKey is LARGER (above min) and SMALLER (below max).
type sizeKey struct{ above, below int64 }

func (k sizeKey) eval(c *candidate) verdict {
	return verdictOf(c.row.Size > k.above && c.row.Size < k.below)
}

type modseqKey metadata.ModSeq

func (k modseqKey) eval(c *candidate) verdict { return verdictOf(c.row.ModSeq >= metadata.ModSeq(k)) }

const day = 24 * 60 * 60 // seconds

// dateKey is BEFORE, ON and SINCE: the days from (inclusive) to (exclusive) since 1970. Time and zone are disregarded (RFC
// 3501 section 6.4.4): the internal date is the UTC day that INTERNALDATE shows.
type dateKey struct{ from, to int64 }

func (k dateKey) contains(seconds int64) bool {
	d := seconds / day
	if seconds%day < 0 {
		d--
	}
	return k.from <= d && d < k.to
}

func (k dateKey) eval(c *candidate) verdict { return verdictOf(k.contains(c.row.InternalDate.Unix())) }

// sentKey is SENTBEFORE, SENTON and SENTSINCE, by the day that the Date field says in its own zone. A message without a
// date was not sent on any day.
type sentKey struct{ dateKey }

func (k sentKey) eval(c *candidate) verdict {
	if c.structure == nil {
		return unsure
	}
	date := c.structure.Envelope.Date
	if date == nil {
		return misses
	}
	unix, offset, ok := message.ParseDate(*date)
	return verdictOf(ok && k.contains(unix+int64(offset)))
}

// ageKey is OLDER and YOUNGER (RFC 5032): at least, or at most, so many seconds in the mailbox.
type ageKey struct {
	seconds uint64
	younger bool
	limit   time.Time // after bind
}

func (k *ageKey) bind(in searchScope) {
	// More seconds than fit a Duration are a time before any message.
	k.limit = in.now.Add(-time.Duration(min(k.seconds, 200*365*day)) * time.Second)
}

func (k *ageKey) eval(c *candidate) verdict {
	if k.younger {
		return verdictOf(!c.row.InternalDate.Before(k.limit))
	}
	return verdictOf(!c.row.InternalDate.After(k.limit))
}

// contentKey is a key about what the message says.
type contentKey struct {
	index int
	name  string // of the header field; "" for BODY and TEXT
	text  []byte // by casemap; empty: a field that is there, whatever it says
	head  bool   // without name: TEXT, which looks into the header too
}

func (k *contentKey) eval(c *candidate) verdict {
	if c.found != nil {
		return verdictOf(c.found[k.index])
	}
	if k.name == "" && len(k.text) == 0 {
		return matches
	}
	if k.name == "" || c.structure == nil || !c.structure.Complete() || !message.KeptField(k.name) {
		return unsure
	}
	for i := range c.structure.Fields {
		f := &c.structure.Fields[i]
		if strings.EqualFold(f.Name, k.name) && k.matches(f.Value()) {
			return matches
		}
	}
	return misses
}

// matches looks for the key's text in an unfolded field value.
func (k *contentKey) matches(value string) bool {
	return len(k.text) == 0 || bytes.Contains(casemap(message.DecodeHeader(value)), k.text)
}
