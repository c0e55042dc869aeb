package mailstore

import (
	"context"
	"slices"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// moveAtOnce is how many messages a RENAME of INBOX moves in one transaction.
const moveAtOnce = 1000

// Rename renames a mailbox and all below it. Renaming INBOX moves its messages into a new mailbox and leaves INBOX empty and
// its children alone (RFC 9051 section 6.3.6); large ones in several steps, after each of which every message is in exactly
// one of the two; annotations are in both. A mailbox stays its owner's and keeps its ACL. NotFound, Exists, Invalid, Permission.
func (u *User) Rename(ctx context.Context, from, to string) error {
	const op = "mailstore.Rename"
	source, err := u.place(ctx, strings.TrimSuffix(from, delimiter))
	if mailerr.Is(err, mailerr.Invalid) {
		return &mailerr.Error{Op: op, Kind: mailerr.NotFound, Err: err}
	}
	if err != nil {
		return wrap(op, err)
	}
	dest, err := u.place(ctx, strings.TrimSuffix(to, delimiter))
	if err != nil {
		return wrap(op, err)
	}
	owner := u.account
	if source.foreign() || dest.foreign() {
		if owner, err = u.mayRename(ctx, source, dest); err != nil {
			return wrap(op, err)
		}
	}
	from, to = source.name, dest.name
	if from == inboxName {
		return wrap(op, u.renameInbox(ctx, to))
	}
	switch {
	case from == to:
		return mailerr.New(op, mailerr.Exists, "that is its name")
	case strings.HasPrefix(to, from+delimiter):
		return mailerr.New(op, mailerr.Invalid, "a mailbox cannot be moved below itself")
	}
	mailboxes, err := u.store.meta.Mailboxes(ctx, owner)
	if err != nil {
		return wrap(op, err)
	}
	renames, err := plan(mailboxes, from, to)
	if err != nil {
		return wrap(op, err)
	}
	if err := u.store.meta.RenameMailboxes(ctx, owner, renames); err != nil {
		return wrap(op, err)
	}
	u.store.publish(listHint(owner))
	return nil
}

// mayRename returns the owner of the mailbox if the user may rename it. It needs RightDelete on the mailbox and RightCreate on
// the one above the new name (RFC 4314 section 4); what is below goes along.
func (u *User) mayRename(ctx context.Context, source, dest *place) (owner metadata.AccountID, err error) {
	const op = "mailstore.Rename"
	m, err := u.find(ctx, source)
	if err != nil {
		return owner, err
	}
	if err := m.check(op, metadata.RightDelete); err != nil {
		return owner, err
	}
	switch {
	case source.prefix != dest.prefix:
		return owner, mailerr.New(op, mailerr.Invalid, "a mailbox cannot be moved to another owner")
	case source.name == inboxName:
		return owner, mailerr.New(op, mailerr.Invalid, "INBOX cannot be renamed by others")
	}
	return u.mayCreate(ctx, dest)
}

// plan returns the new names of from and all below it. A name above mailboxes that is none itself can be renamed too.
func plan(mailboxes []metadata.Mailbox, from, to string) ([]metadata.Rename, error) {
	var renames []metadata.Rename
	for _, m := range mailboxes {
		if m.Name != from && !strings.HasPrefix(m.Name, from+delimiter) {
			continue
		}
		name := to + m.Name[len(from):]
		if err := checkName(name); err != nil {
			return nil, err
		}
		renames = append(renames, metadata.Rename{ID: m.ID, From: m.Name, To: name})
	}
	if len(renames) == 0 {
		return nil, mailerr.New("mailstore.Rename", mailerr.NotFound, "")
	}
	for _, m := range mailboxes {
		moved := slices.ContainsFunc(renames, func(r metadata.Rename) bool { return r.ID == m.ID })
		if !moved && slices.ContainsFunc(renames, func(r metadata.Rename) bool { return sameName(r.To, m.Name) }) {
			return nil, mailerr.New("mailstore.Rename", mailerr.Exists, "")
		}
	}
	return renames, nil
}

func (u *User) renameInbox(ctx context.Context, to string) error {
	if to == inboxName {
		return mailerr.New("mailstore.Rename", mailerr.Exists, "that is its name")
	}
	inbox, err := u.Mailbox(ctx, inboxName)
	if err != nil {
		return err
	}
	dest, err := u.Create(ctx, to, "")
	if err != nil {
		return err
	}
	if err := u.store.meta.CopyAnnotations(ctx, u.account, inbox.ID, dest.ID); err != nil { // RFC 5464 section 4.1
		if mailerr.Is(err, mailerr.Limit) {
			_ = u.Delete(ctx, to) // an empty mailbox too many is no harm
		}
		return err
	}
	u.store.publish(listHint(u.account))
	_, msgs, err := u.store.meta.LoadMailbox(ctx, inbox.ID)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(msgs, moveAtOnce) {
		uids := make([]metadata.UID, len(chunk))
		for i := range chunk {
			uids[i] = chunk[i].UID
		}
		res, err := u.store.meta.Move(ctx, metadata.CopyRequest{
			Account:     u.account,
			Source:      inbox.ID,
			UIDs:        metadata.UIDSetOf(uids...),
			DestAccount: u.account,
			Dest:        dest.ID,
			SaveDate:    u.store.now(),
		})
		if err != nil {
			return err
		}
		if len(res.Dest) > 0 {
			u.store.publish([]notify.Hint{
				hintOf(u.account, inbox.ID, res.SourceModSeq),
				hintOf(u.account, dest.ID, res.DestModSeq),
			}...)
		}
	}
	return nil
}
