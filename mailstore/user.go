package mailstore

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// Delimiter separates levels of mailbox names.
const Delimiter = '/'

// User is one account's mailboxes, for one session of any protocol. Names are UTF-8; "inbox" in any case is INBOX, also as
// the first level ("inbox/x" is "INBOX/x").
type User struct{}

// Account returns the account's id.
func (u *User) Account() metadata.AccountID { panic("stub") }

// MailboxInfo is a mailbox, or a name that only is above mailboxes (NonExistent), or one only subscribed to.
type MailboxInfo struct {
	metadata.Mailbox
	NonExistent bool // no such mailbox; Mailbox has only Name
	HasChildren bool
	Subscribed  bool
}

// List returns all mailboxes, the names above them that are no mailboxes, and subscribed names, in byte order of names with
// INBOX first. The speaker selects from it.
func (u *User) List(ctx context.Context) ([]MailboxInfo, error) { panic("stub") }

// Mailbox returns one mailbox's row, fresh from the database. NotFound.
func (u *User) Mailbox(ctx context.Context, name string) (*metadata.Mailbox, error) { panic("stub") }

// Create creates a mailbox; a trailing delimiter is dropped (RFC 9051 section 6.3.4). specialUse is "" or "\\Sent" and so on.
// Exists, Invalid (name), Limit.
func (u *User) Create(ctx context.Context, name, specialUse string) (*metadata.Mailbox, error) {
	panic("stub")
}

// Delete removes a mailbox; mailboxes below it stay. NotFound, Invalid for INBOX.
func (u *User) Delete(ctx context.Context, name string) error { panic("stub") }

// Rename renames a mailbox and all below it. Renaming INBOX moves its messages into a new mailbox and leaves INBOX empty and
// its children alone (RFC 9051 section 6.3.6). NotFound, Exists, Invalid.
func (u *User) Rename(ctx context.Context, from, to string) error { panic("stub") }

// Subscribe and Unsubscribe change the subscription list; the mailbox need not exist.
func (u *User) Subscribe(ctx context.Context, name string) error { panic("stub") }

// Unsubscribe removes a name.
func (u *User) Unsubscribe(ctx context.Context, name string) error { panic("stub") }

// Quota returns the account's use and limits, fresh.
func (u *User) Quota(ctx context.Context) (*metadata.Account, error) { panic("stub") }

// AppendOptions are APPEND's arguments.
type AppendOptions struct {
	Flags        metadata.Flags
	Keywords     []string
	InternalDate time.Time // zero: now
}

// AppendData is what APPENDUID needs.
type AppendData struct {
	UID         metadata.UID
	UIDValidity metadata.UIDValidity
}

// Append makes a staged message exist in a mailbox. NotFound, OverQuota, Unavailable.
func (u *User) Append(ctx context.Context, name string, st *Staged, o AppendOptions) (*AppendData, error) {
	panic("stub")
}

// OpenMode is how a mailbox is opened: EXAMINE and SELECT.
type OpenMode uint8

// The two ways to open a mailbox.
const (
	ReadOnly OpenMode = iota
	ReadWrite
)

// Open selects a mailbox: a snapshot of its messages as of now, fresh from the database. With ReadWrite its recent messages
// are claimed for this session. NotFound.
func (u *User) Open(ctx context.Context, name string, mode OpenMode) (*Selected, error) {
	panic("stub")
}
