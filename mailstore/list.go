package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/metadata"
)

// MailboxInfo is a mailbox, or a name that only is above mailboxes (NonExistent), or one only subscribed to.
type MailboxInfo struct {
	metadata.Mailbox
	NonExistent bool // no such mailbox; Mailbox has only Name
	HasChildren bool
	Subscribed  bool
	Rights      metadata.Rights // of a mailbox
}

// List returns all mailboxes, those of others among them that the user may see (RightLookup), the names above them that are no
// mailboxes, and subscribed names, in byte order of names with INBOX first. The speaker selects from it.
func (u *User) List(ctx context.Context) ([]MailboxInfo, error) {
	const op = "mailstore.List"
	mailboxes, err := u.store.meta.Mailboxes(ctx, u.account)
	if err != nil {
		return nil, wrap(op, err)
	}
	subscribed, err := u.store.meta.Subscriptions(ctx, u.account)
	if err != nil {
		return nil, wrap(op, err)
	}
	rights := make(map[metadata.MailboxID]metadata.Rights)
	for i := range mailboxes {
		rights[mailboxes[i].ID] = metadata.AllRights
	}
	shared, err := u.shared(ctx)
	if err != nil {
		return nil, wrap(op, err)
	}
	for i := range shared {
		mailboxes = append(mailboxes, shared[i].Mailbox)
		rights[shared[i].ID] = shared[i].rights
	}
	infos := list(mailboxes, subscribed)
	for i := range infos {
		infos[i].Rights = rights[infos[i].ID]
	}
	return infos, nil
}

// shared returns the mailboxes of others that the user may see. One look-up, and one more at the first time.
func (u *User) shared(ctx context.Context) ([]located, error) {
	me, err := u.whoami(ctx)
	if err != nil {
		return nil, err
	}
	mine := metadata.EverybodyIn(me)
	boxes, err := u.store.meta.SharedWith(ctx, []string{me, mine}, maxSharedLimit)
	if err != nil {
		return nil, err
	}
	var seen []located
	for i := range boxes {
		b := &boxes[i]
		m := located{Mailbox: b.Mailbox, rights: b.ACL.Rights(me)}
		m.SpecialUse = "" // it is its owner's: clients would take it for the user's
		switch {
		case b.Account == u.account || !m.rights.Has(metadata.RightLookup):
			continue
		case b.Domain != "" && "@"+b.Domain == mine:
			m.Name = sharedPrefix + b.Name
		case b.Domain == "" && metadata.EverybodyIn(b.Owner) == mine:
			m.Name = otherPrefix + b.Owner + delimiter + b.Name
		default:
			continue
		}
		seen = append(seen, m)
	}
	return seen, nil
}

func list(mailboxes []metadata.Mailbox, subscribed []string) []MailboxInfo {
	infos := make([]MailboxInfo, 0, len(mailboxes)+len(subscribed))
	index := make(map[string]int, cap(infos))
	at := func(name string) *MailboxInfo {
		i, ok := index[name]
		if !ok {
			i = len(infos)
			index[name] = i
			infos = append(infos, MailboxInfo{Mailbox: metadata.Mailbox{Name: name}, NonExistent: true})
		}
		return &infos[i]
	}
	for i := range mailboxes {
		info := at(mailboxes[i].Name)
		info.Mailbox, info.NonExistent = mailboxes[i], false
		for name := mailboxes[i].Name; ; {
			cut := strings.LastIndexByte(name, Delimiter)
			if cut < 0 {
				break
			}
			name = name[:cut]
			parent := at(name)
			if parent.HasChildren {
				break // and so all above it
			}
			parent.HasChildren = true
		}
	}
	for _, name := range subscribed {
		at(name).Subscribed = true
	}
	slices.SortFunc(infos, func(a, b MailboxInfo) int {
		if (a.Name == inboxName) != (b.Name == inboxName) {
			if a.Name == inboxName {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return infos
}
