package imapd

import (
	"strings"

	"github.com/rookery-mail/rookery/message"
)

const (
	// maxReferences is how many of a message's references count: the last ones.
	maxReferences = 1000
	// maxReferenced bounds the messages that are only referred to, in one THREAD.
	maxReferenced = 1 << 20
	// maxAncestry bounds the steps that are made to find out whether links would make a loop, in one THREAD. Beyond it links
	// that need such steps are left out. Messages in the order in which they were written need none.
	maxAncestry = 1 << 26
)

// referenceGraph is step 1 of the algorithm REFERENCES (RFC 5256 section 3): messages, and those only referred to, with
// their parents. Trees may be as deep as there are messages, and the client may have any References in them.
type referenceGraph struct {
	ids      map[textHash]int32 // node by Message ID
	nodes    []referenceNode
	messages []int32 // node by message
	dummies  int
	steps    int
}

type referenceNode struct {
	parent   int32 // none: -1
	children int32 // how many there are
	message  int32 // index of the message; none: -1
}

func newReferenceGraph() *referenceGraph {
	return &referenceGraph{ids: make(map[textHash]int32)}
}

// add adds the next message of the mailbox.
func (g *referenceGraph) add(hasher textHasher, st *message.Structure) error {
	node := int32(-1)
	if id := st.Envelope.MessageID; id != nil {
		for text := range message.MessageIDs(*id) {
			key := hasher.hash(text)
			if n, ok := g.ids[key]; !ok {
				node = g.node()
				g.ids[key] = node
			} else if g.nodes[n].message < 0 {
				node = n
				g.dummies--
			}
			break
		}
	}
	if node < 0 { // no Message ID, or that of another message
		node = g.node()
	}
	g.nodes[node].message = int32(len(g.messages))
	g.messages = append(g.messages, node)

	last := int32(-1)
	for _, key := range references(hasher, st) {
		n, ok := g.ids[key]
		if !ok {
			if g.dummies++; g.dummies > maxReferenced {
				return no("LIMIT", "Too many references")
			}
			n = g.node()
			g.ids[key] = n
		}
		if last >= 0 && g.nodes[n].parent < 0 {
			g.link(last, n) // step 1.A
		}
		last = n
	}
	// Step 1.B.
	if g.nodes[node].parent != last {
		g.unlink(node)
		if last >= 0 {
			g.link(last, node)
		}
	}
	return nil
}

func (g *referenceGraph) node() int32 {
	g.nodes = append(g.nodes, referenceNode{parent: -1, message: -1})
	return int32(len(g.nodes) - 1)
}

func (g *referenceGraph) unlink(child int32) {
	if p := g.nodes[child].parent; p >= 0 {
		g.nodes[p].children--
		g.nodes[child].parent = -1
	}
}

// link makes a node, which has no parent, a child of another, unless that makes a loop.
func (g *referenceGraph) link(parent, child int32) {
	if parent == child {
		return
	}
	if g.nodes[child].children > 0 {
		for n := g.nodes[parent].parent; n >= 0; n = g.nodes[n].parent {
			if g.steps++; n == child || g.steps > maxAncestry {
				return
			}
		}
	}
	g.nodes[child].parent = parent
	g.nodes[parent].children++
}

// forest is steps 2 and 3: the trees without messages that are only referred to, but for those at the top that hold several
// threads together.
func (g *referenceGraph) forest(messages []threadMessage) *threadForest {
	f := newThreadForest(messages)
	// above is, of nodes that were looked at, the nearest message above or, where there is none, the node at the top.
	above := make([]int32, len(g.nodes))
	for i := range above {
		above[i] = -1
	}
	held := make(map[int32][]int32) // by node at the top: messages without another above them
	var path, order []int32
	for m, node := range g.messages {
		path = path[:0]
		n := node
		for g.nodes[n].parent >= 0 {
			path = append(path, n)
			p := g.nodes[n].parent
			if g.nodes[p].message >= 0 || above[n] >= 0 {
				break
			}
			n = p
		}
		var nearest int32
		switch {
		case len(path) == 0:
			f.tops = append(f.tops, int32(m))
			continue
		case above[path[len(path)-1]] >= 0:
			nearest = above[path[len(path)-1]]
		case g.nodes[path[len(path)-1]].parent >= 0:
			nearest = g.nodes[path[len(path)-1]].parent
		}
		for _, n := range path {
			above[n] = nearest
		}
		if parent := g.nodes[nearest].message; parent >= 0 {
			f.children[parent] = append(f.children[parent], int32(m))
			continue
		}
		if held[nearest] == nil {
			order = append(order, nearest)
		}
		held[nearest] = append(held[nearest], int32(m))
	}
	for _, top := range order {
		if children := held[top]; len(children) == 1 {
			f.tops = append(f.tops, children[0])
		} else {
			f.tops = append(f.tops, f.dummy(children...))
		}
	}
	return f
}

// references returns the references of a message: the Message IDs of References or, without any, the first one of In-Reply-To.
func references(hasher textHasher, st *message.Structure) []textHash {
	var refs []textHash
	for i := range st.Fields {
		if !strings.EqualFold(st.Fields[i].Name, "References") {
			continue
		}
		for id := range message.MessageIDs(st.Fields[i].Value()) {
			refs = append(refs, hasher.hash(id))
		}
		break // as of other fields that may occur once, the first counts
	}
	if len(refs) == 0 && st.Envelope.InReplyTo != nil {
		for id := range message.MessageIDs(*st.Envelope.InReplyTo) {
			return append(refs, hasher.hash(id))
		}
	}
	return refs[max(0, len(refs)-maxReferences):]
}
