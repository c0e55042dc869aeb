package mailstore

import (
	"maps"
	"slices"

	"github.com/rookery-mail/rookery/metadata"
)

// Listing is what User.List returned at one moment, with rows that were read since. It never changes; what two Listings of one
// Watch have in common is the same *MailboxInfo.
type Listing struct {
	infos []*MailboxInfo
	index *listingIndex // shared by Listings that differ in rows or annotations only
	// annotations is nil unless somebody watches them; shared by Listings that do not differ in it.
	annotations *annotationStates
}

// listingIndex is where in a Listing things are.
type listingIndex struct {
	byID   map[metadata.MailboxID]int
	byName map[string]int
}

// newListing returns the Listing of infos; those equal to before's are taken from there. It is before itself if nothing differs.
func newListing(before *Listing, infos []MailboxInfo, annotations *annotationStates) *Listing {
	if before != nil && annotations.equal(before.annotations) {
		annotations = before.annotations
	}
	l := &Listing{
		infos:       make([]*MailboxInfo, len(infos)),
		annotations: annotations,
		index: &listingIndex{
			byID:   make(map[metadata.MailboxID]int, len(infos)),
			byName: make(map[string]int, len(infos)),
		},
	}
	same := before != nil && len(before.infos) == len(infos)
	for i := range infos {
		info := &infos[i]
		if old := before.Named(info.Name); old != nil && old.ID == info.ID {
			if old.HighestModSeq > info.HighestModSeq {
				info.Mailbox = old.Mailbox
			}
			if *old == *info {
				info = old
			} else {
				info = new(MailboxInfo)
				*info = infos[i]
			}
		} else {
			info = new(MailboxInfo)
			*info = infos[i]
		}
		l.infos[i] = info
		l.index.byName[info.Name] = i
		if !info.NonExistent {
			l.index.byID[info.ID] = i
		}
		same = same && before.infos[i] == info
	}
	if same && annotations != before.annotations {
		l.index = before.index
	} else if same {
		return before
	}
	return l
}

// withRows returns the Listing with mailboxes as they are in rows.
func (l *Listing) withRows(rows []*metadata.Mailbox) *Listing {
	next := &Listing{infos: slices.Clone(l.infos), index: l.index, annotations: l.annotations}
	for _, row := range rows {
		i, ok := l.index.byID[row.ID]
		if !ok || row.HighestModSeq <= l.infos[i].HighestModSeq {
			continue
		}
		info := *l.infos[i]
		name, use := info.Name, info.SpecialUse
		info.Mailbox = *row
		info.Name, info.SpecialUse = name, use // as the user knows it
		next.infos[i] = &info
	}
	return next
}

// All returns the mailboxes and names in the order of User.List. The caller changes nothing.
func (l *Listing) All() []*MailboxInfo { return l.infos }

// SameNames reports whether the two differ at most in what is in the mailboxes.
func (l *Listing) SameNames(other *Listing) bool { return l.index == other.index }

// Named returns what has a name; nil for nothing.
func (l *Listing) Named(name string) *MailboxInfo {
	if l == nil {
		return nil
	}
	i, ok := l.index.byName[name]
	if !ok {
		return nil
	}
	return l.infos[i]
}

// Mailbox returns the mailbox with an id; nil for none.
func (l *Listing) Mailbox(id metadata.MailboxID) *MailboxInfo {
	if l == nil {
		return nil
	}
	i, ok := l.index.byID[id]
	if !ok {
		return nil
	}
	return l.infos[i]
}

// owners returns the accounts whose mailboxes are listed, but for one.
func (l *Listing) owners(but metadata.AccountID) []metadata.AccountID {
	owners := make(map[metadata.AccountID]struct{})
	for _, info := range l.infos {
		if !info.NonExistent && info.Account != but {
			owners[info.Account] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(owners))
}
