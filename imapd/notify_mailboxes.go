package imapd

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// ownChange is names, or annotations, that a command of this session has changed: the client is not told of what it did itself.
type ownChange struct {
	names []string
	below bool // and all names below them
	// annotations of annotated (with "", of the server) and what they have become, by entries in lower case.
	annotated   string
	annotations map[string]metadata.AnnotationDigest
}

func (own *ownChange) includes(name string) bool {
	if own == nil {
		return false
	}
	return slices.ContainsFunc(own.names, func(mine string) bool {
		return name == mine || own.below && isBelow(name, mine, false) || isBelow(mine, name, true)
	})
}

// namesChanged is called when a command has changed names, subscriptions or annotations. Trouble means that the client is told of it later.
func (s *session) namesChanged(ctx context.Context, own ownChange) {
	n := s.notify
	if n == nil || n.watch == nil {
		return
	}
	if err := n.watch.Refresh(ctx); err != nil {
		s.log.Warn("no news of mailboxes", "error", err)
		return
	}
	for i, name := range own.names {
		own.names[i] = strings.TrimSuffix(name, string(mailstore.Delimiter))
	}
	s.tellMailboxes(&own)
}

// tellMailboxes tells what has changed in the list of mailboxes, and in those that are not selected, since it was told last. own,
// if not nil, is what the client knows.
func (s *session) tellMailboxes(own *ownChange) {
	n := s.notify
	was, is := n.told, n.watch.Mailboxes()
	if was == is {
		return
	}
	if len(is.All()) > maxNotifyMailboxes {
		s.overflow("Too many mailboxes")
		return
	}
	if is.TooManyAnnotations() && n.wants(metadataEvents) {
		s.overflow("There are too many annotations")
		return
	}
	n.told = is
	var anew map[metadata.MailboxID]struct{}
	if !was.SameNames(is) {
		anew = s.tellNames(was, is, own)
	}
	for _, info := range is.All() {
		if info.NonExistent {
			continue
		}
		old := was.Mailbox(info.ID)
		if _, ok := anew[info.ID]; ok {
			old = nil
		}
		if info != old {
			s.tellMailbox(old, info, own)
		}
	}
	if !was.SameAnnotations(is) {
		s.tellAnnotations(was, is, anew, own)
	}
	for id := range n.apart {
		if is.Mailbox(id) == nil {
			delete(n.apart, id)
		}
	}
}

// overflow is RFC 5465 section 5.8: from now on nothing is told.
func (s *session) overflow(text string) {
	n := s.notify
	s.w.Raw("* OK [NOTIFICATIONOVERFLOW")
	s.remark(text)
	n.selected, n.groups = nil, nil
	n.watch.Close()
	n.watch = nil
}

// tellMailbox tells what happened to the messages of a mailbox that is not selected. was is nil for one that was not listed.
func (s *session) tellMailbox(was, is *mailstore.MailboxInfo, own *ownChange) {
	n := s.notify
	now, before := n.watched(is), n.watched(was)
	wanted := n.events(is)&messageEvents != 0
	switch {
	case was != nil && wanted && was.Rights.Has(metadata.RightRead) && !is.Rights.Has(metadata.RightRead):
		s.writeNoAccess(is.Name) // RFC 5465 section 5.9
		return
	case was != nil && wanted && !was.Rights.Has(metadata.RightRead) && is.Rights.Has(metadata.RightRead),
		was == nil && now != 0 && isOthers(is.Name) && n.events(is)&mailboxName == 0:
		(&list{extended: true, returnSubscribed: true}).write(s.w, is, false)
	}
	if s.isSelected(is.ID) {
		delete(n.apart, is.ID)
		return
	}
	if now == 0 {
		return
	}
	if before == 0 {
		if !own.includes(is.Name) {
			s.writeEventStatus(&is.Mailbox, now, s.condstore)
		}
		return
	}
	known := was.Mailbox
	renamed := was.Name != is.Name && n.events(is)&mailboxName == 0 // a mailbox of that name is news
	if told, ok := n.apart[is.ID]; ok {
		if is.HighestModSeq < told.HighestModSeq {
			return // read before the client was told
		}
		known = told
		delete(n.apart, is.ID)
	}
	counts := is.Messages != known.Messages || is.UIDNext != known.UIDNext
	flags := now&flagChange != 0 && (is.Unseen != known.Unseen || s.condstore && is.HighestModSeq > known.HighestModSeq)
	if counts || flags || renamed {
		s.writeEventStatus(&is.Mailbox, now, s.condstore)
	}
}

// leaveSelected notes what the client knows of the mailbox that it has selected, before it is not.
func (n *notification) leaveSelected(s *session) {
	if n == nil || n.watch == nil || n.told.Mailbox(s.sel.Mailbox().ID) == nil {
		return
	}
	m := s.sel.Mailbox()
	m.Messages = s.sel.NumMessages()
	n.apart[m.ID] = m
}

// writeEventStatus writes the STATUS response for events of messages (RFC 5465 sections 3.1, 5.1 and 5.2).
func (s *session) writeEventStatus(m *metadata.Mailbox, e events, modseq bool) {
	s.w.Raw("* STATUS ").Mailbox(m.Name)
	s.w.Raw(" (UIDVALIDITY ").Number(uint64(m.UIDValidity))
	s.w.Raw(" UIDNEXT ").Number(uint64(m.UIDNext))
	s.w.Raw(" MESSAGES ").Number(uint64(m.Messages))
	if e&flagChange != 0 {
		s.w.Raw(" UNSEEN ").Number(uint64(m.Unseen))
	}
	if modseq && e&flagChange != 0 || s.condstore {
		s.w.Raw(" HIGHESTMODSEQ ").Number(uint64(m.HighestModSeq))
	}
	s.w.Raw(")\r\n")
}

// writeNoAccess says that the rights do not suffice for the events of a mailbox.
func (s *session) writeNoAccess(name string) {
	s.w.Raw(`* LIST (\NoAccess) "/" `).Mailbox(name).CRLF()
}
