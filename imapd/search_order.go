package imapd

// order: a search for what never changes may run beside changes of flags.
func (c *search) order() order {
	o := beside(messages|searchResult, 0)
	if c.program.modseq || readsFlags(c.program.root) {
		o.reads |= flags
	}
	if len(c.program.filters) > 0 {
		o.reads |= annotations
	}
	if c.ret.save {
		o.changes |= searchResult
	}
	return o
}

// readsFlags reports whether a key depends on what STORE can change. Of keys that are not known here it does.
func readsFlags(key searchKey) bool {
	switch k := key.(type) {
	case notKey:
		return readsFlags(k.key)
	case orKey:
		return readsFlags(k[0]) || readsFlags(k[1])
	case andKey:
		for _, sub := range k {
			if readsFlags(sub) {
				return true
			}
		}
		return false
	case allKey, *setKey, *contentKey, sizeKey, dateKey, sentKey, *ageKey:
		return false
	default:
		return true
	}
}
