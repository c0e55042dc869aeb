package mailstore

import (
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// row is a metadata.Message in 64 bytes without pointers, so that the garbage collector need not look at views.
type row struct {
	modseq   metadata.ModSeq
	internal int64 // microseconds since 1970
	save     int64 // microseconds since 1970
	size     int64
	body     metadata.BodyID
	uid      metadata.UID
	keywords uint32 // index into state.keywords
	flags    metadata.Flags
}

// rowBytes is the memory of one row.
const rowBytes = 64

// message unpacks r into m. words is the state's keywords.
func (r *row) message(m *metadata.Message, words []string) {
	*m = metadata.Message{
		UID:          r.uid,
		Flags:        r.flags,
		Keywords:     words[r.keywords],
		ModSeq:       r.modseq,
		InternalDate: time.UnixMicro(r.internal).UTC(),
		SaveDate:     time.UnixMicro(r.save).UTC(),
		Size:         r.size,
		Body:         r.body,
	}
}

// intern is the distinct keyword strings of a view: the list only grows, so a state that has a shorter one stays right.
// Only the view's reader uses it.
type intern struct {
	words []string // words[0] is ""
	index map[string]uint32
}

func newIntern() *intern { return &intern{words: []string{""}, index: map[string]uint32{"": 0}} }

func (in *intern) add(keywords string) uint32 {
	if i, ok := in.index[keywords]; ok {
		return i
	}
	i := uint32(len(in.words))
	in.words = append(in.words, keywords)
	in.index[keywords] = i
	return i
}

func (in *intern) row(m *metadata.Message) row {
	return row{
		modseq:   m.ModSeq,
		internal: m.InternalDate.UnixMicro(),
		save:     m.SaveDate.UnixMicro(),
		size:     m.Size,
		body:     m.Body,
		uid:      m.UID,
		keywords: in.add(m.Keywords),
		flags:    m.Flags,
	}
}
