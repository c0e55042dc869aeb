package mailstore

import (
	"context"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// readRights is how long a session that has somebody else's mailbox open reads from it by the rights it found before. What
// changes something asks each time.
const readRights = 5 * time.Second

// access is what a session may do with somebody else's mailbox that it has open.
type access struct {
	store   *Store
	mailbox metadata.MailboxID
	address string // the user's

	mu     sync.Mutex
	rights metadata.Rights // guarded by mu
	at     time.Time       // guarded by mu: when rights were read
}

// changingRights are those of which SELECT needs one to be READ-WRITE (RFC 4314 section 5.2): all flags are shared.
const changingRights = metadata.RightInsert | metadata.RightExpunge | metadata.RightSeen | metadata.RightWrite | metadata.RightTrash

// accessTo returns the access to somebody else's mailbox that was located just now. The user's address is known by then.
func (u *User) accessTo(m *located) *access {
	return &access{store: u.store, mailbox: m.ID, address: *u.address.Load(), rights: m.rights, at: m.at}
}

// now reads the rights from the database. A mailbox that was deleted gives none.
func (a *access) now(ctx context.Context) (metadata.Rights, error) {
	at := a.store.cfg.Now() // before: rights are at least as new as this
	acl, err := a.store.meta.ACL(ctx, a.mailbox)
	if err != nil {
		return 0, err
	}
	rights := acl.Rights(a.address)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !at.Before(a.at) {
		a.rights, a.at = rights, at
	}
	return rights, nil
}

// known returns the rights that were read last, and whether they are still good for reading.
func (a *access) known() (metadata.Rights, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rights, a.store.cfg.Now().Sub(a.at) < readRights
}

// Rights returns what the user may do with the mailbox, as of the last time that was read (for others' mailboxes: when it was
// opened, at each change, and after some seconds at other calls). One's own mailbox gives AllRights.
func (sel *Selected) Rights() metadata.Rights {
	if sel.access == nil {
		return metadata.AllRights
	}
	rights, _ := sel.access.known()
	return rights
}

// may returns nil if the user has all the rights at this moment. A mailbox that may not even be read any more is gone.
// Permission, NotFound.
func (sel *Selected) may(ctx context.Context, op string, need metadata.Rights) error {
	rights, err := sel.rightsNow(ctx, op)
	if err == nil && !rights.Has(need) {
		err = errRights(op)
	}
	return err
}

// rightsNow returns the rights of this moment, which have RightRead. NotFound without it.
func (sel *Selected) rightsNow(ctx context.Context, op string) (metadata.Rights, error) {
	if sel.access == nil {
		return metadata.AllRights, nil
	}
	rights, err := sel.access.now(ctx)
	if err == nil && !rights.Has(metadata.RightRead) {
		err = errGone(op)
	}
	return rights, err
}

// mayRead returns nil if the user had RightRead within the last readRights. NotFound.
func (sel *Selected) mayRead(ctx context.Context, op string) error {
	if sel.access == nil {
		return nil
	}
	rights, fresh := sel.access.known()
	if !fresh {
		_, err := sel.rightsNow(ctx, op)
		return err
	}
	if !rights.Has(metadata.RightRead) {
		return errGone(op)
	}
	return nil
}

// flagRights returns the flags that rights do not let somebody change, and whether keywords are among them (RFC 4314
// section 4).
func flagRights(rights metadata.Rights) (kept metadata.Flags, keywords bool) {
	if !rights.Has(metadata.RightSeen) {
		kept |= metadata.FlagSeen
	}
	if !rights.Has(metadata.RightTrash) {
		kept |= metadata.FlagDeleted
	}
	if !rights.Has(metadata.RightWrite) {
		kept |= ^(metadata.FlagSeen | metadata.FlagDeleted)
		keywords = true
	}
	return kept, keywords
}

// permitted returns those of a new message's flags and keywords that rights let somebody set.
func permitted(rights metadata.Rights, flags metadata.Flags, keywords []string) (metadata.Flags, []string) {
	dropped, noKeywords := flagRights(rights)
	if noKeywords {
		keywords = nil
	}
	return flags &^ dropped, keywords
}
