package mailstore

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/metadata"
)

// SeqRange is First to Last, inclusive; 0 stands for "*"; First may be greater than Last (RFC 9051: the order does not matter).
type SeqRange struct{ First, Last uint32 }

// ResolveSeqs returns the UIDs of sequence numbers in this session's snapshot. ok is false when a number is out of range (a
// protocol error); in an empty mailbox every number is.
func (sel *Selected) ResolveSeqs(ranges []SeqRange) (uids metadata.UIDSet, ok bool) {
	n := sel.NumMessages()
	mask := roaring.New()
	for _, r := range ranges {
		first, last := r.bounds(n)
		if first == 0 || last > n {
			return nil, false
		}
		low, err := sel.uids.Select(first - 1)
		if err != nil {
			return nil, false
		}
		high, err := sel.uids.Select(last - 1)
		if err != nil {
			return nil, false
		}
		mask.AddRange(uint64(low), uint64(high)+1)
	}
	mask.And(sel.uids)
	return setOf(mask), true
}

// ResolveUIDs returns the UIDs of the session's snapshot within the ranges. "*" is the last message's UID.
func (sel *Selected) ResolveUIDs(ranges []SeqRange) metadata.UIDSet {
	highest := uint32(maxUID(sel.uids))
	if highest == 0 {
		return nil
	}
	mask := roaring.New()
	for _, r := range ranges {
		first, last := r.bounds(highest)
		if first <= highest {
			mask.AddRange(uint64(first), uint64(min(last, highest))+1)
		}
	}
	mask.And(sel.uids)
	return setOf(mask)
}

// AllUIDs returns the snapshot.
func (sel *Selected) AllUIDs() metadata.UIDSet { return setOf(sel.uids) }

// bounds returns the range in order, with star for "*".
func (r SeqRange) bounds(star uint32) (first, last uint32) {
	first, last = r.First, r.Last
	if first == 0 {
		first = star
	}
	if last == 0 {
		last = star
	}
	return min(first, last), max(first, last)
}
