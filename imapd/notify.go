package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var notifyCommand = command{
	name:   "NOTIFY",
	states: loggedIn,
	parse:  parseNotify,
}

// setNotify is NOTIFY (RFC 5465).
type setNotify struct {
	set      bool // SET, not NONE
	status   bool
	unknown  bool            // an event is asked for that there is not
	selected *selectedEvents // nil: none
	groups   []eventGroup    // none, and no selected: NOTIFY NONE, or all of them say NONE
}

// selectedEvents are the events of the selected mailbox that a client wants to be told of: MessageNew and MessageExpunge in any
// case.
type selectedEvents struct {
	delayed bool   // expunges only when a command allows that
	flags   bool   // FlagChange
	fetch   *fetch // what of a new message; nil for nothing
}

// maxNotifyMailboxes is how many names may be in the list of a user who has NOTIFY look at it.
const maxNotifyMailboxes = 20_000

var (
	errBadEvent = no("BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)",
		"No such event")
	errOverflow    = no("NOTIFICATIONOVERFLOW", "Too many mailboxes")
	errAnnotations = no("NOTIFICATIONOVERFLOW", "There are too many annotations")
)

// notification is what NOTIFY has set up. It belongs to the session, under its lock, but for what tells says.
type notification struct {
	selected *selectedEvents // nil: nothing is told of the selected mailbox
	groups   []eventGroup

	// The rest is there if something is to be told between commands.
	cancel  context.CancelFunc
	stopped chan struct{}    // closed when the goroutine that tells has ended
	poke    chan struct{}    // a command has ended: what it held back may be told, and another mailbox may be selected
	watch   *mailstore.Watch // nil without groups
	told    *mailstore.Listing
	// apart is what the client knows of mailboxes that it has had selected, where that is not what is in told.
	apart map[metadata.MailboxID]metadata.Mailbox
}

func (cmd *setNotify) run(ctx context.Context, s *session) error {
	if cmd.unknown {
		return errBadEvent
	}
	n := &notification{selected: cmd.selected, groups: cmd.groups}
	if len(n.groups) > 0 {
		watch, err := s.user.Watch(ctx, mailstore.WatchOptions{Annotations: n.wants(metadataEvents)})
		if err != nil {
			return err
		}
		n.watch, n.told = watch, watch.Mailboxes()
		n.apart = make(map[metadata.MailboxID]metadata.Mailbox)
		if len(n.told.All()) > maxNotifyMailboxes {
			watch.Close()
			return errOverflow
		}
		if n.told.TooManyAnnotations() && n.wants(metadataEvents) {
			watch.Close()
			return errAnnotations
		}
	}
	before := s.notify
	if cmd.set && s.sel != nil { // RFC 5465 section 3.1: accumulated changes are returned at once
		s.notify = nil
		if err := s.sync(ctx, mailstore.SyncOptions{Fresh: true}); err != nil {
			s.notify = before
			if n.watch != nil {
				n.watch.Close()
			}
			return err
		}
	}
	s.stopNotify(before)
	s.notify = n
	if n.selected != nil && n.selected.fetch != nil && n.selected.fetch.modseq {
		s.enableCondstore()
	}
	if n.watch != nil {
		n.begin(s, cmd.status)
	}
	if n.selected != nil || n.watch != nil {
		s.startNotify(n)
	}
	return nil
}

// begin tells what the client must know before it is told of changes (RFC 5465 section 3.1).
func (n *notification) begin(s *session, status bool) {
	for _, info := range n.told.All() {
		if info.NonExistent {
			continue
		}
		events := n.events(info)
		switch {
		case events&messageEvents == 0:
		case !info.Rights.Has(metadata.RightRead):
			s.writeNoAccess(info.Name)
		case status && !s.isSelected(info.ID):
			// HIGHESTMODSEQ: whether the client knows of it or not.
			s.writeEventStatus(&info.Mailbox, events, true)
		}
	}
}

// isSelected reports whether the mailbox with an id is the selected one.
func (s *session) isSelected(id metadata.MailboxID) bool {
	return s.sel != nil && s.sel.Mailbox().ID == id
}
