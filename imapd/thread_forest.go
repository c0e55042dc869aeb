package imapd

import (
	"cmp"
	"slices"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// threadForest is threads: trees of messages. A node is an index into messages; those behind them are dummies, which only are
// at the top. Trees may be as deep as there are messages: nothing here recurses.
type threadForest struct {
	messages []threadMessage
	children [][]int32 // by node, dummies included
	tops     []int32
}

func newThreadForest(messages []threadMessage) *threadForest {
	return &threadForest{messages: messages, children: make([][]int32, len(messages))}
}

// dummy adds a node that stands for no message.
func (f *threadForest) dummy(children ...int32) int32 {
	f.children = append(f.children, children)
	return int32(len(f.children) - 1)
}

func (f *threadForest) isDummy(node int32) bool { return int(node) >= len(f.messages) }

// head returns the message that stands for a top: itself, or a dummy's first child.
func (f *threadForest) head(top int32) *threadMessage {
	if f.isDummy(top) {
		top = f.children[top][0]
	}
	return &f.messages[top]
}

// bySent compares messages by sent date, those of one date by their order in the mailbox, which is that of their indexes.
func (f *threadForest) bySent(a, b int32) int {
	return cmp.Or(cmp.Compare(f.messages[a].sent, f.messages[b].sent), cmp.Compare(a, b))
}

// sortBySent sorts all siblings by sent date (RFC 5256 section 3, step 6).
func (f *threadForest) sortBySent() {
	for _, siblings := range f.children {
		slices.SortFunc(siblings, f.bySent)
	}
	f.sortTops()
}

// sortTops sorts the top level, where dummies have their children sorted.
func (f *threadForest) sortTops() {
	slices.SortFunc(f.tops, func(a, b int32) int {
		x, y := f.head(a), f.head(b)
		return cmp.Or(cmp.Compare(x.sent, y.sent), cmp.Compare(x.number, y.number))
	})
}

// sortByNews sorts messages by sent date within threads, and threads by the latest internal date in them
// (draft-ietf-morg-inthread section 4): where something came in is last.
func (f *threadForest) sortByNews() {
	for _, siblings := range f.children {
		slices.SortFunc(siblings, f.bySent)
	}
	type news struct {
		top     int32
		arrived int64
		number  uint32 // of the latest message
	}
	threads := make([]news, len(f.tops))
	var stack []int32
	for i, top := range f.tops {
		latest := news{top: top, arrived: -1 << 63}
		for stack = append(stack[:0], top); len(stack) > 0; {
			n := stack[len(stack)-1]
			stack = append(stack[:len(stack)-1], f.children[n]...)
			if f.isDummy(n) {
				continue
			}
			m := &f.messages[n]
			if m.arrived > latest.arrived || m.arrived == latest.arrived && m.number > latest.number {
				latest.arrived, latest.number = m.arrived, m.number
			}
		}
		threads[i] = latest
	}
	slices.SortFunc(threads, func(a, b news) int {
		return cmp.Or(cmp.Compare(a.arrived, b.arrived), cmp.Compare(a.number, b.number))
	})
	for i := range threads {
		f.tops[i] = threads[i].top
	}
}

// write writes the threads as RFC 5256 section 4 has them: a parent, its only child, that one's, until there are several
// children, each in parentheses.
func (f *threadForest) write(w *wire.Writer) {
	const end = int32(-1) // of a list
	var stack []int32
	for _, top := range f.tops {
		stack = append(stack[:0], end, top)
		w.Byte('(')
		for first := true; len(stack) > 0; {
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if n == end {
				w.Byte(')')
				if len(stack) > 0 && stack[len(stack)-1] != end { // a sibling
					w.Byte('(')
					first = true
				}
				continue
			}
			children := f.children[n]
			if !f.isDummy(n) {
				if !first {
					w.SP()
				}
				first = false
				w.Number(uint64(f.messages[n].number))
				if len(children) > 1 {
					w.SP()
				}
			}
			if len(children) == 1 {
				stack = append(stack, children[0])
				continue
			}
			for i := len(children) - 1; i >= 0; i-- {
				stack = append(stack, end, children[i])
			}
			if len(children) > 0 {
				w.Byte('(')
				first = true
			}
		}
	}
}
