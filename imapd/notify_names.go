package imapd

import (
	"maps"
	"slices"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// maxRenamesTold is how many renames are told at once, not counting what goes along with them. More are told as if the mailboxes
// were deleted and created.
const maxRenamesTold = 100

// namesDiff is the difference between the names that a client knows and those there are (RFC 5465 sections 5.4 and 5.5). Several
// changes may have become one difference; it is told so that a client that applies one response after the other ends with the
// right names: first what is gone, by the name it had; then what is renamed, so that a mailbox that goes along with the one above
// it needs no response; then what is there now.
type namesDiff struct {
	s       *session
	n       *notification
	was, is *mailstore.Listing
	own     *ownChange
	now     map[string]struct{}             // names to be told as they are now
	anew    map[metadata.MailboxID]struct{} // renamed mailboxes that are told as if they were created
}

// tellNames tells the difference. It returns the mailboxes that the client takes for new ones although they are not.
func (s *session) tellNames(was, is *mailstore.Listing, own *ownChange) (anew map[metadata.MailboxID]struct{}) {
	d := namesDiff{
		s: s, n: s.notify, was: was, is: is, own: own, now: make(map[string]struct{}), anew: make(map[metadata.MailboxID]struct{}),
	}
	d.tellGone()
	d.tellRenames()
	d.compare()
	for _, name := range slices.Sorted(maps.Keys(d.now)) {
		d.tell(name, d.is.Named(name), "")
	}
	return d.anew
}

// tell writes a LIST response; info is nil for what is not there.
func (d *namesDiff) tell(name string, info *mailstore.MailboxInfo, oldName string) {
	if d.own.includes(name) {
		return
	}
	if info == nil {
		info = &mailstore.MailboxInfo{NonExistent: true, Mailbox: metadata.Mailbox{Name: name}}
	}
	(&list{extended: true, returnSubscribed: true, oldName: oldName}).write(d.s.w, info, false)
}

// wants reports whether the client wants to be told of an event of a name, as it is or as it was.
func (d *namesDiff) wants(name string, e events) bool {
	for _, l := range []*mailstore.Listing{d.was, d.is} {
		info := l.Named(name)
		if info == nil {
			info = &mailstore.MailboxInfo{NonExistent: true, Mailbox: metadata.Mailbox{Name: name}}
		}
		if d.n.events(info)&e != 0 {
			return true
		}
	}
	return false
}

// tellGone tells of mailboxes that are deleted, or that the user may not see any more, which is the same.
func (d *namesDiff) tellGone() {
	for _, old := range d.was.All() {
		if old.NonExistent || d.is.Mailbox(old.ID) != nil {
			continue
		}
		d.parentOf(old.Name)
		switch {
		case d.wants(old.Name, mailboxName):
			info := d.is.Named(old.Name)
			if info != nil && !info.NonExistent {
				info = nil // another one, of which the client is told later
				d.now[old.Name] = struct{}{}
			}
			d.tell(old.Name, info, "")
		case isOthers(old.Name) && d.n.watched(old) != 0:
			d.s.writeNoAccess(old.Name) // RFC 5465 section 5.9
		}
	}
}

// parentOf notes the name above one that came or went.
func (d *namesDiff) parentOf(name string) {
	for parent := range parents(name) {
		if d.wants(parent, mailboxName) {
			d.now[parent] = struct{}{}
		}
		return
	}
}

// tellRenames tells of renames.
func (d *namesDiff) tellRenames() {
	believed := make(map[string]metadata.MailboxID) // what the client takes names for
	var moved []string                              // of those, the ones that are not right
	for _, old := range d.was.All() {
		info := d.is.Mailbox(old.ID)
		if old.NonExistent || info == nil {
			continue
		}
		if info.Name == old.Name {
			believed[old.Name] = old.ID
		} else if d.wants(old.Name, mailboxName) || d.wants(info.Name, mailboxName) {
			believed[old.Name] = old.ID
			moved = append(moved, old.Name)
		}
	}
	for told := 0; len(moved) > 0; told++ {
		i := -1
		if told < maxRenamesTold {
			i = slices.IndexFunc(moved, func(name string) bool { return d.canRename(believed, name) })
		}
		if i < 0 { // they wait for each other: one is taken out
			name := moved[0]
			d.anew[believed[name]] = struct{}{}
			d.now[d.is.Mailbox(believed[name]).Name] = struct{}{}
			delete(believed, name)
			d.tell(name, nil, "")
			if info := d.is.Named(name); info != nil {
				d.now[name] = struct{}{}
			}
			moved = moved[1:]
			continue
		}
		from := moved[i]
		info := d.is.Mailbox(believed[from])
		for _, name := range belowOrSame(believed, from) {
			id := believed[name]
			delete(believed, name)
			believed[info.Name+name[len(from):]] = id
		}
		moved = moved[:0]
		for name, id := range believed {
			if d.is.Mailbox(id).Name != name {
				moved = append(moved, name)
			}
		}
		slices.Sort(moved)
		d.tell(info.Name, info, from)
	}
}

// canRename reports whether the client can be told now of the new name of the mailbox that it knows by a name: nothing is in the
// way, and what is below goes to where it belongs, or was not there at all.
func (d *namesDiff) canRename(believed map[string]metadata.MailboxID, from string) bool {
	to := d.is.Mailbox(believed[from]).Name
	if isBelow(to, from, false) {
		return false // first away with what it was below
	}
	for _, name := range belowOrSame(believed, from) {
		target := to + name[len(from):]
		if _, taken := believed[target]; taken {
			return false
		}
		if d.is.Mailbox(believed[name]).Name != target {
			return false // it is told of before
		}
	}
	for name := range parents(from) {
		// With the one above, it may go along.
		if id, ok := believed[name]; ok && d.is.Mailbox(id).Name+from[len(name):] == to && d.is.Mailbox(id).Name != name {
			return false
		}
	}
	return true
}

// belowOrSame returns a name and those below it.
func belowOrSame(believed map[string]metadata.MailboxID, name string) []string {
	var names []string
	for other := range believed {
		if other == name || isBelow(other, name, false) {
			names = append(names, other)
		}
	}
	return names
}

// compare finds the names whose state, and not only what they stand for, has to be told.
func (d *namesDiff) compare() {
	none := &mailstore.MailboxInfo{NonExistent: true}
	for _, info := range d.is.All() {
		old := d.was.Named(info.Name)
		if old == nil {
			old = none
			if before := d.was.Mailbox(info.ID); before != nil && !info.NonExistent { // renamed
				old = &mailstore.MailboxInfo{HasChildren: before.HasChildren}
			}
		}
		d.compareName(info.Name, old, info)
		if !info.NonExistent && d.was.Mailbox(info.ID) == nil {
			d.parentOf(info.Name)
			if d.wants(info.Name, mailboxName) {
				d.now[info.Name] = struct{}{}
			}
		}
	}
	for _, old := range d.was.All() {
		if d.is.Named(old.Name) == nil {
			info := *none
			if !old.NonExistent {
				info.HasChildren = old.HasChildren // that it is gone was told
			}
			d.compareName(old.Name, old, &info)
		}
	}
}

// compareName finds what a name, whatever it stands for, has been given or has lost.
func (d *namesDiff) compareName(name string, old, info *mailstore.MailboxInfo) {
	if old.Subscribed != info.Subscribed && d.wants(name, subscriptionChange) ||
		old.HasChildren != info.HasChildren && d.wants(name, mailboxName) {
		d.now[name] = struct{}{}
	}
}
