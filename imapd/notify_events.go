package imapd

import (
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// events is a set of events (RFC 5465 section 5).
type events uint8

const (
	messageNew events = 1 << iota
	messageExpunge
	flagChange
	annotationChange // known for what has to be said with it, and not supported
	mailboxName
	subscriptionChange
	mailboxMetadataChange
	serverMetadataChange

	messageEvents  = messageNew | messageExpunge | flagChange | annotationChange
	metadataEvents = mailboxMetadataChange | serverMetadataChange
)

// eventGroup is events of some mailboxes.
type eventGroup struct {
	kind   string              // "INBOXES", "PERSONAL", "SUBSCRIBED", "SUBTREE", "MAILBOXES"
	names  map[string]struct{} // of the last two
	events events
}

// includes reports whether a mailbox, or a name that is none, is among the group's.
func (g *eventGroup) includes(info *mailstore.MailboxInfo) bool {
	switch g.kind {
	case "INBOXES", "PERSONAL":
		// Mail may be delivered into any mailbox: then INBOXES are all of the personal ones (RFC 5465 section 6.3).
		return !isOthers(info.Name)
	case "SUBSCRIBED":
		return info.Subscribed
	}
	if _, ok := g.names[info.Name]; ok {
		return true
	}
	if g.kind == "SUBTREE" {
		for name := range parents(info.Name) {
			if _, ok := g.names[name]; ok {
				return true
			}
		}
	}
	return false
}

// isOthers reports whether a name is in a namespace of others' mailboxes.
func isOthers(name string) bool {
	root, _, _ := strings.Cut(name, string(mailstore.Delimiter))
	return root == mailstore.OtherUsers || root == mailstore.SharedMailbox
}

// events returns of what the client wants to be told about a mailbox that is not selected, or a name; of none if info is nil.
func (n *notification) events(info *mailstore.MailboxInfo) (e events) {
	if info == nil {
		return 0
	}
	for i := range n.groups {
		if g := &n.groups[i]; e|g.events != e && g.includes(info) {
			e |= g.events
		}
	}
	return e
}

// wants reports whether the client wants one of some events of any mailbox.
func (n *notification) wants(e events) bool {
	return slices.ContainsFunc(n.groups, func(g eventGroup) bool { return g.events&e != 0 })
}

// watched returns the events of messages that the client is told of about a mailbox that is not selected: those that it wants and
// has the rights for.
func (n *notification) watched(info *mailstore.MailboxInfo) events {
	if info == nil || info.NonExistent || !info.Rights.Has(metadata.RightRead) {
		return 0
	}
	return n.events(info) & messageEvents
}
