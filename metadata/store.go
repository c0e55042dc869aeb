package metadata

import (
	"context"
	"time"
)

// Store is the metadata of an installation. All methods may be called concurrently, on any node. Errors are *mailerr.Error:
// Unavailable when the database does not answer, Internal when a row is not as it must be, and those named at the methods.
type Store interface {
	AccountStore
	MailboxStore
	MessageStore
	ExpungedStore
	ThreadStore
	ReplaceStore
	MessageFinder
	URLKeyStore
	AnnotationStore
	LeaseStore
	UIDLStore
	ACLStore
	QuotaStore
	SieveStore
	OutboundStore
	DomainStore

	// Ping asks the database for one row; nil means that it serves.
	Ping(ctx context.Context) error
	// Migrate brings the schema to this binary's version. Safe beside nodes of the previous version and beside another Migrate.
	Migrate(ctx context.Context) error
	// SchemaVersion returns the version in the database (0 for an empty one) and the one this binary needs.
	SchemaVersion(ctx context.Context) (have, want int64, err error)
	Close() error
}

// AccountStore is what the directory keeps here.
type AccountStore interface {
	// CreateAccounts stores accounts with their addresses and mailboxes. errs[i] is nil or an Error of kind Exists for
	// accounts[i] whose address is taken (also by an alias); the others are stored. A large slice is split into several
	// transactions of whole accounts.
	CreateAccounts(ctx context.Context, accounts []NewAccount) (errs []error, err error)
	// Account returns an account. NotFound.
	Account(ctx context.Context, id AccountID) (*Account, error)
	// Accounts returns up to limit accounts in the order of their addresses, after the given address ("" for the start).
	Accounts(ctx context.Context, after string, limit int) ([]Account, error)
	// SetPasswordHash replaces the hash. NotFound.
	SetPasswordHash(ctx context.Context, id AccountID, hash string) error
	// SetQuota replaces the limits; 0 means none. NotFound.
	SetQuota(ctx context.Context, id AccountID, bytes, messages int64) error
	// RemoveAccount removes the account, its address, mailboxes, messages, subscriptions; its bodies' packs are left to
	// garbage collection. NotFound. Runs in several transactions, of which the first makes the account unreachable.
	RemoveAccount(ctx context.Context, id AccountID) error

	// LookupAddresses returns what each address leads to, one step; an address that leads nowhere is not in the map. One
	// round trip.
	LookupAddresses(ctx context.Context, addresses []string) (map[string]AddressTarget, error)
	// SetAlias stores an alias, replacing its targets if it is there. Exists when the address is an account's.
	SetAlias(ctx context.Context, alias Alias) error
	// RemoveAlias removes an alias. NotFound.
	RemoveAlias(ctx context.Context, address string) error
	// Aliases returns up to limit aliases in the order of their addresses, after the given address.
	Aliases(ctx context.Context, after string, limit int) ([]Alias, error)
}

// MailboxStore is an account's mailboxes.
type MailboxStore interface {
	// Mailboxes returns all of an account's mailboxes in the order of their names (byte order).
	Mailboxes(ctx context.Context, account AccountID) ([]Mailbox, error)
	// Mailbox returns one by name. NotFound.
	Mailbox(ctx context.Context, account AccountID, name string) (*Mailbox, error)
	// MailboxByID returns one by id. NotFound.
	MailboxByID(ctx context.Context, id MailboxID) (*Mailbox, error)
	// CreateMailbox creates a mailbox; its UIDVALIDITY is above that of any mailbox this account ever had. Exists, NotFound
	// (the account is gone), Limit when the account has limit mailboxes already (0: no limit). It gets a copy of the ACL of the
	// nearest mailbox above it (RFC 4314 section 4).
	CreateMailbox(ctx context.Context, account AccountID, m NewMailbox, limit int) (*Mailbox, error)
	// DeleteMailbox removes a mailbox; its messages go to expunged. Mailboxes below it stay. NotFound. Runs in several
	// transactions, of which the first makes the mailbox unreachable and takes it out of the account's use.
	DeleteMailbox(ctx context.Context, account AccountID, id MailboxID) error
	// FinishDeletions moves to expunged the messages of deleted mailboxes whose node did not live to do it, and returns how
	// many mailboxes it finished. Nothing of them can be seen meanwhile. For the start of a node; several may do it at once.
	FinishDeletions(ctx context.Context) (finished int, err error)
	// RenameMailboxes gives mailboxes new names in one transaction, as one MODSEQ: the caller says every old and new name (a
	// mailbox and all below it). Exists when a new name is taken, NotFound when an old name is gone: then nothing is renamed.
	RenameMailboxes(ctx context.Context, account AccountID, renames []Rename) error
	// ClaimRecent sets FirstRecent to UIDNext and returns what FirstRecent was before: messages from there on are \Recent in
	// the calling session and in no other. NotFound.
	ClaimRecent(ctx context.Context, id MailboxID) (was UID, err error)
	// ModSeqs returns HIGHESTMODSEQ for each mailbox that exists; in few statements however many are asked for.
	ModSeqs(ctx context.Context, ids []MailboxID) (map[MailboxID]ModSeq, error)

	// Subscriptions returns the names subscribed to, in byte order; they may name no mailbox.
	Subscriptions(ctx context.Context, account AccountID) ([]string, error)
	// Subscribe adds names; those there already stay.
	Subscribe(ctx context.Context, account AccountID, names ...string) error
	// Unsubscribe removes names; those not there are passed over.
	Unsubscribe(ctx context.Context, account AccountID, names ...string) error
}

// Rename is one mailbox's new name.
type Rename struct {
	ID       MailboxID
	From, To string
}

// MessageStore is what is in mailboxes.
type MessageStore interface {
	// Append makes messages exist: locks the clocks in order, gives UIDs and a MODSEQ a account, writes pack, body and
	// message rows, advances mailbox and account rows. A handful of statements however many items there are. After an
	// ambiguous commit it reads back by body id before it tries again. Bodies must be durable before it is called. A body has
	// at most one message in a mailbox by Append: an item whose message is or was there gets that message's UID.
	Append(ctx context.Context, batch AppendBatch) ([]AppendResult, error)
	// LoadMailbox returns a mailbox and all its messages ascending by UID, from one snapshot. NotFound.
	LoadMailbox(ctx context.Context, id MailboxID) (*Mailbox, []Message, error)
	// ChangesSince returns what changed after since, from one snapshot. NotFound.
	ChangesSince(ctx context.Context, id MailboxID, since ModSeq) (*Changes, error)
	// StoreFlags changes flags. Very large sets are split into several transactions that each leave a correct state.
	// NotFound when the mailbox is gone.
	StoreFlags(ctx context.Context, req StoreFlags) (*StoreResult, error)
	// Copy copies messages to the end of another (or the same) mailbox, keeping flags and internal date; no body moves. All
	// or nothing. NotFound when a mailbox is gone (ClientText says which), OverQuota.
	Copy(ctx context.Context, req CopyRequest) (*CopyResult, error)
	// Move is Copy and Expunge of the source in one transaction (RFC 6851).
	Move(ctx context.Context, req CopyRequest) (*CopyResult, error)
	// Expunge moves message rows to expunged. Split like StoreFlags. NotFound when the mailbox is gone.
	Expunge(ctx context.Context, req ExpungeRequest) (*ExpungeResult, error)
	// Bodies returns the body rows there are for the ids, in any order. Few statements however many ids.
	Bodies(ctx context.Context, account AccountID, ids []BodyID) ([]Body, error)
	// BodyLocations is Bodies without Summary and Hash: for reading bytes.
	BodyLocations(ctx context.Context, account AccountID, ids []BodyID) ([]Body, error)
}

// LeaseStore is exclusive use of something by one session in the whole installation, such as a POP3 maildrop. Time is the
// database's.
type LeaseStore interface {
	// AcquireLease takes the lease for ttl if nobody has it, if its time is over, or if holder has it. InUse.
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) error
	// RenewLease extends a lease holder has. InUse when it was lost.
	RenewLease(ctx context.Context, name, holder string, ttl time.Duration) error
	// ReleaseLease gives it up; nothing happens if holder does not have it.
	ReleaseLease(ctx context.Context, name, holder string) error
}
