package imapd

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// modelNode is a message or a dummy in a tree of pointers: the steps of RFC 5256 section 3 as they stand there.
type modelNode struct {
	m        *modelMessage // nil: a dummy
	parent   *modelNode
	children []*modelNode
}

func (n *modelNode) detach() {
	if n.parent != nil {
		n.parent.children = slices.DeleteFunc(n.parent.children, func(c *modelNode) bool { return c == n })
		n.parent = nil
	}
}

func (n *modelNode) attach(parent *modelNode) {
	n.parent = parent
	parent.children = append(parent.children, n)
}

func (n *modelNode) within(top *modelNode) bool {
	return n != nil && (n == top || n.parent.within(top))
}

func (n *modelNode) first() *modelMessage {
	if n.m != nil {
		return n.m
	}
	return n.children[0].first()
}

func (n *modelNode) sortBySent() {
	for _, c := range n.children {
		c.sortBySent()
	}
	slices.SortStableFunc(n.children, func(a, b *modelNode) int {
		if c := a.first().sent().Compare(b.first().sent()); c != 0 {
			return c
		}
		return a.first().seq - b.first().seq
	})
}

func (n *modelNode) latest() (at time.Time, seq int) {
	if n.m != nil {
		at, seq = n.m.internal, n.m.seq
	}
	for _, c := range n.children {
		if t, s := c.latest(); t.After(at) || t.Equal(at) && s > seq {
			at, seq = t, s
		}
	}
	return at, seq
}

func (n *modelNode) String() string {
	var s string
	if n.m != nil {
		s = fmt.Sprint(n.m.seq)
	}
	switch {
	case len(n.children) == 1 && n.m != nil:
		return s + " " + n.children[0].String()
	case len(n.children) > 1 && n.m != nil:
		s += " "
	}
	for _, c := range n.children {
		s += "(" + c.String() + ")"
	}
	return s
}

// modelThreads answers THREAD for messages in the order of the mailbox.
func modelThreads(algorithm string, found []*modelMessage) string {
	root := &modelNode{}
	if algorithm == "ORDEREDSUBJECT" {
		modelOrderedSubject(root, found)
	} else {
		modelReferences(root, found)
	}
	switch algorithm {
	case "REFERENCES":
		root.sortBySent()
		modelMerge(root)
		root.sortBySent()
	case "REFS":
		root.sortBySent()
		slices.SortFunc(root.children, func(a, b *modelNode) int {
			at, as := a.latest()
			bt, bs := b.latest()
			if c := at.Compare(bt); c != 0 {
				return c
			}
			return as - bs
		})
	}
	var out strings.Builder
	for _, n := range root.children {
		out.WriteString("(" + n.String() + ")")
	}
	return out.String()
}

func modelOrderedSubject(root *modelNode, found []*modelMessage) {
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b *modelMessage) int { return a.sent().Compare(b.sent()) })
	threads := map[string]*modelNode{}
	for _, m := range sorted {
		base, _ := m.base()
		n := &modelNode{m: m}
		if head := threads[base]; head != nil {
			n.attach(head)
		} else {
			threads[base] = n
			n.attach(root)
		}
	}
}

func modelReferences(root *modelNode, found []*modelMessage) {
	ids := map[string]*modelNode{}
	var nodes []*modelNode
	own := map[*modelMessage]*modelNode{}
	// Messages first: of those with one ID the first one has it.
	for _, m := range found {
		n := &modelNode{m: m}
		nodes = append(nodes, n)
		own[m] = n
		if m.id != "" && ids[m.id] == nil {
			ids[m.id] = n
		}
	}
	for _, m := range found {
		var last *modelNode
		for _, ref := range m.refs {
			n := ids[ref]
			if n == nil {
				n = &modelNode{}
				ids[ref] = n
				nodes = append(nodes, n)
			}
			if last != nil && n.parent == nil && !last.within(n) {
				n.attach(last)
			}
			last = n
		}
		n := own[m]
		n.detach()
		if last != nil && !last.within(n) {
			n.attach(last)
		}
	}
	for _, n := range nodes {
		if n.parent == nil {
			n.attach(root)
		}
	}
	modelPrune(root, root)
}

func modelPrune(root, n *modelNode) {
	for _, c := range slices.Clone(n.children) {
		modelPrune(root, c)
		if c.m != nil || n == root && len(c.children) > 1 {
			continue
		}
		c.detach()
		for _, grandchild := range slices.Clone(c.children) {
			grandchild.detach()
			grandchild.attach(n)
		}
	}
}

func modelMerge(root *modelNode) {
	subject := func(n *modelNode) string {
		base, _ := n.first().base()
		return base
	}
	isReply := func(n *modelNode) bool {
		if n.m == nil {
			return false
		}
		_, reply := n.m.base()
		return reply
	}
	table := map[string]*modelNode{}
	for _, n := range root.children {
		s := subject(n)
		if s == "" {
			continue
		}
		if have := table[s]; have == nil || have.m != nil && (n.m == nil || isReply(have) && !isReply(n)) {
			table[s] = n
		}
	}
	for _, n := range slices.Clone(root.children) {
		if n.parent != root {
			continue
		}
		s := subject(n)
		have := table[s]
		switch {
		case s == "" || have == n:
		case have.m == nil && n.m == nil:
			for _, c := range slices.Clone(n.children) {
				c.detach()
				c.attach(have)
			}
			n.detach()
		case have.m == nil, isReply(n) && !isReply(have):
			n.detach()
			n.attach(have)
		default:
			both := &modelNode{}
			both.attach(root)
			for _, c := range []*modelNode{n, have} {
				c.detach()
				c.attach(both)
			}
			table[s] = both
		}
	}
}
