package imapd

// orderedSubject is the algorithm ORDEREDSUBJECT of RFC 5256 section 3: messages with one base subject are a thread, the
// first of them is its root and all others are that one's children.
func orderedSubject(messages []threadMessage) *threadForest {
	f := newThreadForest(messages)
	threads := make(map[textHash][]int32)
	var order []textHash
	for i := range messages {
		subject := messages[i].subject
		if threads[subject] == nil {
			order = append(order, subject)
		}
		threads[subject] = append(threads[subject], int32(i))
	}
	for _, subject := range order {
		members := threads[subject]
		first := 0
		for i := range members {
			if f.bySent(members[i], members[first]) < 0 {
				first = i
			}
		}
		root := members[first]
		f.children[root] = append(members[:first], members[first+1:]...)
		f.tops = append(f.tops, root)
	}
	f.sortBySent()
	return f
}
