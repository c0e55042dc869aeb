package imapd

import (
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// contextUpdate is an ESEARCH response with REMOVEFROM and ADDTO (RFC 5267 sections 4.3.3 and 4.3.4).
type contextUpdate struct {
	x *searchContext
	w *wire.Writer
}

func (s *session) beginUpdate(x *searchContext) contextUpdate {
	s.w.Raw(`* ESEARCH (TAG "`).Raw(x.tag).Byte('"')
	if x.multi {
		m := s.sel.Mailbox()
		s.w.Raw(" MAILBOX ").Mailbox(m.Name).Raw(" UIDVALIDITY ").Number(uint64(m.UIDValidity))
	}
	s.w.Byte(')')
	if x.uid {
		s.w.Raw(" UID")
	}
	return contextUpdate{x, s.w}
}

func (u contextUpdate) end() { u.w.CRLF() }

// remove takes messages, in the order of the mailbox, out of the results.
func (u contextUpdate) remove(hits []searchHit) {
	if len(hits) == 0 {
		return
	}
	for _, h := range hits {
		u.x.results.Remove(uint32(h.uid))
	}
	u.w.Raw(" REMOVEFROM (")
	if u.x.criteria == nil {
		u.unordered(hits)
		return
	}
	first := true
	for _, h := range hits {
		i := slices.IndexFunc(u.x.rows, func(r sortRow) bool { return r.hit.uid == h.uid })
		if i < 0 {
			continue
		}
		u.x.rows = slices.Delete(u.x.rows, i, i+1)
		u.pair(&first, i, h)
	}
	u.w.Byte(')')
}

// add puts messages into the results; rows are the same messages sorted, for SORT.
func (u contextUpdate) add(hits []searchHit, rows []sortRow) {
	if len(hits) == 0 {
		return
	}
	for _, h := range hits {
		u.x.results.Add(uint32(h.uid))
	}
	u.w.Raw(" ADDTO (")
	if u.x.criteria == nil {
		u.unordered(hits)
		return
	}
	first := true
	for _, row := range rows {
		i, _ := slices.BinarySearchFunc(u.x.rows, row, func(a, b sortRow) int { return compareSortRows(u.x.criteria, &a, &b) })
		u.x.rows = slices.Insert(u.x.rows, i, row)
		u.pair(&first, i, row.hit)
	}
	u.w.Byte(')')
}

// unordered writes messages without a position: the results are in the order of the mailbox.
func (u contextUpdate) unordered(hits []searchHit) {
	u.w.Raw("0 ")
	set := setWriter{w: u.w}
	for _, h := range hits {
		set.add(u.x.number(h))
	}
	set.close()
	u.w.Byte(')')
}

// pair writes a position, of which the first is 1, and the message there.
func (u contextUpdate) pair(first *bool, i int, h searchHit) {
	if !*first {
		u.w.SP()
	}
	*first = false
	u.w.Number(uint64(i + 1)).SP().Number(uint64(u.x.number(h)))
}
