package mailstore

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// AnnotationChange is an annotation that differs between two moments.
type AnnotationChange struct {
	Entry  string                    // in lower case
	Digest metadata.AnnotationDigest // of the value it has now; 0: it is gone
}

// annotationStates is the annotations that a user may see at one moment. It never changes.
type annotationStates struct {
	tooMany   bool                                              // more than can be compared: of has none
	of        map[metadata.MailboxID][]metadata.AnnotationState // sorted by entries
	mailboxes map[metadata.MailboxID]struct{}                   // those whose annotations the user may see, and the server
}

// annotationStates reads the annotations that the user may see of the mailboxes of User.List, and of the server. One look-up.
func (u *User) annotationStates(ctx context.Context, infos []MailboxInfo) (*annotationStates, error) {
	others := []metadata.MailboxID{metadata.ServerAnnotations}
	states := &annotationStates{
		of:        make(map[metadata.MailboxID][]metadata.AnnotationState),
		mailboxes: map[metadata.MailboxID]struct{}{metadata.ServerAnnotations: {}},
	}
	for i := range infos {
		m := &infos[i]
		if !m.annotatable() {
			continue
		}
		states.mailboxes[m.ID] = struct{}{}
		if m.Account != u.account {
			others = append(others, m.ID)
		}
	}
	there, err := u.store.meta.AnnotationDigests(ctx, u.account, others)
	if mailerr.Is(err, mailerr.Limit) {
		states.tooMany = true
		return states, nil
	}
	if err != nil {
		return nil, wrap("mailstore.Watch", err)
	}
	for len(there) > 0 {
		id := there[0].Mailbox
		n := slices.IndexFunc(there, func(a metadata.AnnotationState) bool { return a.Mailbox != id })
		if n < 0 {
			n = len(there)
		}
		if _, ok := states.mailboxes[id]; ok {
			states.of[id] = there[:n:n]
		}
		there = there[n:]
	}
	return states, nil
}

// equal reports whether both are the same; nil is equal to nil only.
func (s *annotationStates) equal(other *annotationStates) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.tooMany == other.tooMany && maps.Equal(s.mailboxes, other.mailboxes) &&
		maps.EqualFunc(s.of, other.of, slices.Equal[[]metadata.AnnotationState])
}

// emptied reports whether a mailbox that had annotations before has none.
func (s *annotationStates) emptied(before *annotationStates) bool {
	if before == nil || s.tooMany {
		return false
	}
	for id := range before.of {
		if _, ok := s.of[id]; !ok {
			return true
		}
	}
	return false
}

// TooManyAnnotations reports whether there are more annotations than can be watched: ChangedAnnotations then tells nothing.
func (l *Listing) TooManyAnnotations() bool { return l.annotations != nil && l.annotations.tooMany }

// SameAnnotations reports whether no mailbox, nor the server, has changed annotations.
func (l *Listing) SameAnnotations(before *Listing) bool { return l.annotations == before.annotations }

// ChangedAnnotations returns the annotations of a mailbox, or of the server, that the user may see and that have changed since
// before, in the order of entries; with a nil before, those there are. There are none unless the Watch has
// WatchOptions.Annotations.
func (l *Listing) ChangedAnnotations(before *Listing, mailbox metadata.MailboxID) (changed []AnnotationChange) {
	if l.annotations == nil {
		return nil
	}
	if _, ok := l.annotations.mailboxes[mailbox]; !ok {
		return nil // that they cannot be seen any more does not mean that they are gone
	}
	is := l.annotations.of[mailbox]
	var was []metadata.AnnotationState
	if before != nil && before.annotations != nil {
		was = before.annotations.of[mailbox]
	}
	for len(was) > 0 || len(is) > 0 {
		switch order := compareStates(was, is); {
		case order < 0:
			changed = append(changed, AnnotationChange{Entry: was[0].Entry})
			was = was[1:]
		case order > 0:
			changed = append(changed, AnnotationChange{is[0].Entry, is[0].Digest})
			is = is[1:]
		default:
			if was[0].Digest != is[0].Digest {
				changed = append(changed, AnnotationChange{is[0].Entry, is[0].Digest})
			}
			was, is = was[1:], is[1:]
		}
	}
	return changed
}

// compareStates returns which of two sorted lists, not both empty, has the next entry.
func compareStates(a, b []metadata.AnnotationState) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return strings.Compare(a[0].Entry, b[0].Entry)
}
