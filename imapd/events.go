package imapd

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// Events is told what commands have done to messages once that is committed (RFC 6785 section 2.2). Its methods return at once and
// have no say in what a command answers; many sessions call them at the same time.
type Events interface {
	// WantsFlags reports whether anybody wants to know of changed flags: else they are not gathered.
	WantsFlags() bool
	// Happened takes note of an event.
	Happened(e Event)
}

// Event is what one command did to messages of one mailbox.
type Event struct {
	Cause   string              // APPEND, COPY or FLAG (RFC 6785 section 4.3); REPLACE is an APPEND, MOVE a COPY
	User    metadata.AccountID  // who did it
	Account metadata.AccountID  // whose the mailbox is
	Mailbox metadata.MailboxID  // where the messages are now
	From    *metadata.MailboxID // where COPY took them from; nil otherwise
	UIDs    metadata.UIDSet     // in Mailbox
	Changed []string            // the flags that FLAG set or cleared
}

// appendEvent tells of new messages.
func (s *session) appendEvent(account metadata.AccountID, mailbox metadata.MailboxID, uids ...metadata.UID) {
	if s.srv.cfg.Events != nil {
		s.srv.cfg.Events.Happened(Event{Cause: "APPEND", User: s.account, Account: account, Mailbox: mailbox, UIDs: metadata.UIDSetOf(uids...)})
	}
}

// copyEvent tells of a COPY or MOVE from the selected mailbox.
func (s *session) copyEvent(res *mailstore.CopyData) {
	if s.srv.cfg.Events != nil {
		from := s.sel.Mailbox().ID
		s.srv.cfg.Events.Happened(Event{Cause: "COPY", User: s.account, Account: res.Account, Mailbox: res.Mailbox, From: &from,
			UIDs: metadata.UIDSetOf(res.Dest...)})
	}
}

// flagsOf is what a message had before a change.
type flagsOf struct {
	flags    metadata.Flags
	keywords string
}

// flagsBefore returns the flags of messages as the session's mailbox has them, nil when nobody wants to know.
func (s *session) flagsBefore(ctx context.Context, uids metadata.UIDSet) (map[metadata.UID]flagsOf, error) {
	if s.srv.cfg.Events == nil || !s.srv.cfg.Events.WantsFlags() {
		return nil, nil
	}
	before := make(map[metadata.UID]flagsOf, uids.Len())
	err := s.sel.Messages(ctx, uids, func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if !gone {
			before[m.UID] = flagsOf{m.Flags, m.Keywords}
		}
		return true
	})
	return before, err
}

// flagged tells of messages whose flags a STORE changed, together those that changed in the same way.
func (s *session) flagged(before map[metadata.UID]flagsOf, changed []metadata.Message) {
	if before == nil {
		return
	}
	var ways []string
	uids := map[string][]metadata.UID{}
	for i := range changed {
		m := &changed[i]
		way := difference(before[m.UID], flagsOf{m.Flags, m.Keywords})
		if way == "" {
			continue // somebody else's change, of which this node had not heard
		}
		if _, ok := uids[way]; !ok {
			ways = append(ways, way)
		}
		uids[way] = append(uids[way], m.UID)
	}
	for _, way := range ways {
		s.flagEvent(strings.Fields(way), uids[way])
	}
}

// seen tells of messages that a FETCH has set \Seen on.
func (s *session) seen(changed []metadata.Message) {
	if s.srv.cfg.Events == nil || len(changed) == 0 || !s.srv.cfg.Events.WantsFlags() {
		return
	}
	uids := make([]metadata.UID, len(changed))
	for i := range changed {
		uids[i] = changed[i].UID
	}
	s.flagEvent([]string{`\Seen`}, uids)
}

func (s *session) flagEvent(changed []string, uids []metadata.UID) {
	m := s.sel.Mailbox()
	s.srv.cfg.Events.Happened(Event{Cause: "FLAG", User: s.account, Account: m.Account, Mailbox: m.ID, UIDs: metadata.UIDSetOf(uids...), Changed: changed})
}

// difference returns the names of the flags that only one of two has, separated by spaces.
func difference(a, b flagsOf) string {
	var names []string
	for i := range systemFlags {
		if (a.flags^b.flags)&systemFlags[i].bit != 0 {
			names = append(names, string(systemFlags[i].flag))
		}
	}
	names = append(names, missing(a.keywords, b.keywords)...)
	return strings.Join(append(names, missing(b.keywords, a.keywords)...), " ")
}

// missing returns the keywords of b that a has not.
func missing(a, b string) (names []string) {
	if a == b {
		return nil
	}
	have := map[string]bool{}
	for k := range strings.FieldsSeq(strings.ToLower(a)) {
		have[k] = true
	}
	for k := range strings.FieldsSeq(b) {
		if !have[strings.ToLower(k)] {
			names = append(names, k)
		}
	}
	return names
}
