package metadata

import "sort"

// UIDRange is the UIDs First to Last, both inclusive, First <= Last.
type UIDRange struct{ First, Last UID }

// UIDSet is a set of UIDs as ascending, disjoint, non-adjacent ranges. The zero value is empty.
type UIDSet []UIDRange

// UIDSetOf returns the set of the given UIDs, in any order.
func UIDSetOf(uids ...UID) UIDSet {
	if !sort.SliceIsSorted(uids, func(i, j int) bool { return uids[i] < uids[j] }) {
		uids = append([]UID(nil), uids...)
		sort.Slice(uids, func(i, j int) bool { return uids[i] < uids[j] })
	}
	var s UIDSet
	for _, u := range uids {
		if n := len(s); n > 0 && u <= s[n-1].Last {
			continue
		}
		if n := len(s); n > 0 && u == s[n-1].Last+1 {
			s[n-1].Last = u
			continue
		}
		s = append(s, UIDRange{u, u})
	}
	return s
}

// Contains reports whether u is in the set.
func (s UIDSet) Contains(u UID) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last >= u })
	return i < len(s) && s[i].First <= u
}

// Len returns the number of UIDs in the set.
func (s UIDSet) Len() int {
	n := 0
	for _, r := range s {
		n += int(r.Last-r.First) + 1
	}
	return n
}

// All yields every UID in ascending order.
func (s UIDSet) All(yield func(UID) bool) {
	for _, r := range s {
		for u := r.First; ; u++ {
			if !yield(u) {
				return
			}
			if u == r.Last {
				break
			}
		}
	}
}

// UIDSetOfRanges returns the set of all UIDs in the given ranges, which may overlap and be in any order.
func UIDSetOfRanges(ranges ...UIDRange) UIDSet {
	if !sort.SliceIsSorted(ranges, func(i, j int) bool { return ranges[i].First < ranges[j].First }) {
		ranges = append([]UIDRange(nil), ranges...)
		sort.Slice(ranges, func(i, j int) bool { return ranges[i].First < ranges[j].First })
	}
	var s UIDSet
	for _, r := range ranges {
		if n := len(s); n > 0 && r.First-1 <= s[n-1].Last {
			s[n-1].Last = max(s[n-1].Last, r.Last)
			continue
		}
		s = append(s, r)
	}
	return s
}
