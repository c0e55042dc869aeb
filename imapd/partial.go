package imapd

import (
	"strconv"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
	"github.com/rookery-mail/rookery/metadata"
)

// partialRange is the argument of PARTIAL (RFC 9394): places in a list of results, 1 is the first or, with fromEnd, the last.
// Both ends are inclusive, as the client wrote them: a may be greater than b.
type partialRange struct {
	a, b    uint32
	fromEnd bool
}

// parsePartial reads the space and the range after PARTIAL.
func parsePartial(p *wire.Parser) (r partialRange, err error) {
	if err = p.SP(); err != nil {
		return r, err
	}
	r.fromEnd = p.Try('-')
	if r.a, err = p.Number(); err != nil {
		return r, err
	}
	if err = p.Expect(':'); err != nil {
		return r, err
	}
	if p.Try('-') != r.fromEnd {
		return r, &wire.SyntaxError{Text: "A range counts from one end"}
	}
	if r.b, err = p.Number(); err != nil {
		return r, err
	}
	if r.a == 0 || r.b == 0 {
		return r, &wire.SyntaxError{Text: "A range begins at 1"}
	}
	return r, nil
}

// String returns the range as it was asked for, for the response.
func (r partialRange) String() string {
	sign := ""
	if r.fromEnd {
		sign = "-"
	}
	return sign + strconv.FormatUint(uint64(r.a), 10) + ":" + sign + strconv.FormatUint(uint64(r.b), 10)
}

// of returns which of n results are meant, as the bounds of a slice of them in mailbox order (or, for SORT, in its order).
func (r partialRange) of(n int) (from, to int) {
	first, last := uint64(min(r.a, r.b)), uint64(max(r.a, r.b))
	if first > uint64(n) {
		return 0, 0
	}
	last = min(last, uint64(n))
	if r.fromEnd {
		return n - int(last), n - int(first) + 1
	}
	return int(first) - 1, int(last)
}

// pick returns the part of a set of UIDs that is meant.
func (r partialRange) pick(uids metadata.UIDSet) metadata.UIDSet {
	from, to := r.of(uids.Len())
	var out metadata.UIDSet
	for _, g := range uids {
		n := int(g.Last-g.First) + 1
		if from < n && to > 0 {
			out = append(out, metadata.UIDRange{First: g.First + metadata.UID(max(from, 0)), Last: g.First + metadata.UID(min(to, n)-1)})
		}
		from, to = from-n, to-n
		if to <= 0 {
			break
		}
	}
	return out
}

// writePartial writes the PARTIAL item of ESEARCH: numbers are those of the results that the range means, in their order.
func writePartial(w *wire.Writer, r partialRange, numbers func(yield func(uint32) bool)) {
	w.Raw(" PARTIAL (").Raw(r.String()).SP()
	set := setWriter{w: w}
	none := true
	for n := range numbers {
		none = false
		set.add(n)
	}
	set.close()
	if none {
		w.Raw("NIL")
	}
	w.Byte(')')
}
