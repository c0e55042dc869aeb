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
}

// List returns all mailboxes, the names above them that are no mailboxes, and subscribed names, in byte order of names with
// INBOX first. The speaker selects from it.
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
	return list(mailboxes, subscribed), nil
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
