package imapd

import "slices"

// mergeSubjects gathers threads of one base subject (RFC 5256 section 3, steps 4 and 5).
func (f *threadForest) mergeSubjects() {
	// Step 4.
	for _, top := range f.tops {
		if f.isDummy(top) {
			slices.SortFunc(f.children[top], f.bySent)
		}
	}
	f.sortTops()

	// Step 5.B. A dummy has the subject of its first child.
	table := make(map[textHash]int32, len(f.tops))
	subjects := make([]textHash, len(f.tops))
	isReply := func(top int32) bool { return !f.isDummy(top) && f.messages[top].reply }
	for i, top := range f.tops {
		subjects[i] = f.head(top).subject
		if subjects[i] == (textHash{}) {
			continue
		}
		have, ok := table[subjects[i]]
		if !ok || !f.isDummy(have) && (f.isDummy(top) || isReply(have) && !isReply(top)) {
			table[subjects[i]] = top
		}
	}

	// Step 5.C. What is merged into another thread is no top any more; gone holds those.
	gone := make(map[int32]bool)
	var added []int32
	for i, top := range f.tops {
		if subjects[i] == (textHash{}) {
			continue
		}
		have := table[subjects[i]]
		switch {
		case have == top || gone[top]:
			continue
		case f.isDummy(have) && f.isDummy(top):
			f.children[have] = append(f.children[have], f.children[top]...)
			f.children[top] = nil
		case f.isDummy(have), isReply(top) && !isReply(have):
			f.children[have] = append(f.children[have], top)
		default:
			both := f.dummy(top, have)
			gone[have] = true
			added = append(added, both)
			table[subjects[i]] = both
		}
		gone[top] = true
	}
	tops := f.tops[:0]
	for _, top := range f.tops {
		if !gone[top] {
			tops = append(tops, top)
		}
	}
	f.tops = append(tops, added...)
}
