package imapd

import (
	"math"
	"slices"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// searchScope is where and when a search is made.
type searchScope struct {
	sel   *mailstore.Selected
	saved metadata.UIDSet // what "$" stands for there
	now   time.Time
}

// openRanges returns the UIDs within ranges. last is that of the last message. UIDs that are to come are in a range to "*", for
// searches that go on (RFC 5267).
func openRanges(ranges []mailstore.SeqRange, last metadata.UID) metadata.UIDSet {
	set := make(metadata.UIDSet, 0, len(ranges))
	for _, r := range ranges {
		first, end := metadata.UID(min(r.First, r.Last)), metadata.UID(max(r.First, r.Last))
		if first == 0 { // "*"
			first, end = last, max(end, last)
			if r.First != r.Last {
				first, end = min(metadata.UID(max(r.First, r.Last)), last), math.MaxUint32
			}
		}
		if end > 0 {
			set = append(set, metadata.UIDRange{First: max(first, 1), Last: end})
		}
	}
	slices.SortFunc(set, func(a, b metadata.UIDRange) int { return int(int64(a.First) - int64(b.First)) })
	out := set[:0]
	for _, r := range set {
		if n := len(out); n > 0 && uint64(r.First) <= uint64(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
		} else {
			out = append(out, r)
		}
	}
	return out
}
