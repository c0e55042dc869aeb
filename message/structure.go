package message

// structure returns what was found in a message of size bytes whose parts are all closed.
func (t *tree) structure(size int64) *Structure {
	st := &Structure{Size: size, Envelope: t.envelope, Fields: t.fields, incomplete: t.cut}
	next := 0
	t.adopt(&st.Root, &next)
	return st
}

// adopt moves the node next, and those inside it, to p.
func (t *tree) adopt(p *Part, next *int) {
	n := &t.nodes[*next]
	*next++
	*p = n.part
	if n.children == 0 {
		return
	}
	p.Children = make([]Part, n.children)
	for i := range p.Children {
		t.adopt(&p.Children[i], next)
	}
}

// Complete reports whether Fields holds all kept fields whole.
func (s *Structure) Complete() bool { return !s.incomplete }

// PartByPath returns the part that a FETCH section names: nil path is the root, 1 the first child of a multipart or a
// single-part message itself, and so on (RFC 9051 section 6.4.5). nil when there is none.
//
// For the HEADER and TEXT of an embedded message take the part's only child.
func (s *Structure) PartByPath(path []int) *Part {
	p := &s.Root
	entered := true // p is a message whose own parts the next number counts, rather than a part that was named
	for _, n := range path {
		if !entered && p.Envelope != nil {
			p, entered = &p.Children[0], true
		}
		switch {
		case p.Type == "multipart":
			if n < 1 || n > len(p.Children) {
				return nil
			}
			p = &p.Children[n-1]
		case !entered || n != 1:
			return nil
		}
		entered = false
	}
	return p
}
