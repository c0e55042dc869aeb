package metadata

import (
	"context"
	"strings"
)

// MaxACLEntries is the most entries a mailbox's ACL has.
const MaxACLEntries = 1000

// ACLEntry is an entry of a mailbox's ACL. A mailbox's owner is in none: it has all rights without one.
type ACLEntry struct {
	Grantee string // an account's address in its one form, or "@" and a domain: all accounts of it
	Denies  bool   // a negative entry (RFC 4314 section 2): the rights are taken away
	Rights  Rights
}

// ACL is a mailbox's entries in the order of Grantee, each one's denial behind its grant.
type ACL []ACLEntry

// Rights returns what an address has by the ACL: what its own entry and its domain's give, without what either denies.
func (acl ACL) Rights(address string) Rights {
	everybody := EverybodyIn(address)
	var given, denied Rights
	for _, e := range acl {
		switch {
		case e.Grantee != address && e.Grantee != everybody:
		case e.Denies:
			denied |= e.Rights
		default:
			given |= e.Rights
		}
	}
	return given &^ denied
}

// EverybodyIn returns the grantee that stands for all accounts of an address's domain; "" when the address has none.
func EverybodyIn(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 && i < len(address)-1 {
		return address[i:]
	}
	return ""
}

// RightsOp is how SetACL combines rights with those an entry has (RFC 4314 section 3.1).
type RightsOp uint8

// The three forms of SETACL's third argument.
const (
	RightsReplace RightsOp = iota
	RightsAdd
	RightsRemove
)

// ACLChange is a change of one entry.
type ACLChange struct {
	Grantee string
	Denies  bool
	Op      RightsOp
	Rights  Rights
}

// MailboxACL is a mailbox with its whole ACL, as of one moment.
type MailboxACL struct {
	Mailbox
	ACL ACL
}

// SharedMailbox is a mailbox that somebody else owns.
type SharedMailbox struct {
	Mailbox
	Owner  string // the owner's address
	Domain string // of a shared account (see SetSharedAccount): the domain it serves; "" for other owners
	ACL    ACL    // only the entries that were asked for
}

// SharedAccount is the owner of a domain's shared mailboxes: an account like others, into which nobody logs in.
type SharedAccount struct {
	Domain  string
	Account AccountID
	Address string
}

// ACLStore is who may use whose mailboxes. ACLs are kept by mailbox id, so they go with a mailbox through renames, and are
// gone with it.
type ACLStore interface {
	// ACL returns a mailbox's entries; a mailbox that is not there has none.
	ACL(ctx context.Context, id MailboxID) (ACL, error)
	// SetACL changes one entry, under the owner's clock; one without rights is removed. NotFound, Limit (MaxACLEntries).
	SetACL(ctx context.Context, owner AccountID, id MailboxID, change ACLChange) error
	// MailboxesOf returns those of the owner's mailboxes that have one of the names, in any order, each with its whole ACL, from
	// one snapshot. The owner is an account's address, or "@" and a domain for its shared account; names are at most 128. An
	// owner who is not there has no mailboxes.
	MailboxesOf(ctx context.Context, owner string, names []string) ([]MailboxACL, error)
	// SharedWith returns every mailbox with an entry for one of the grantees, with those entries, from one snapshot, in the order
	// of their ids. At most limit entries are read: what is beyond is left out, by whole mailboxes.
	SharedWith(ctx context.Context, grantees []string, limit int) ([]SharedMailbox, error)

	// MailboxForPost returns a mailbox by name, with its whole ACL, and the domain that the account serves as its shared account,
	// "" for other accounts; from one snapshot. NotFound.
	MailboxForPost(ctx context.Context, account AccountID, name string) (m *MailboxACL, serves string, err error)

	// SetSharedAccount makes an account the owner of a domain's shared mailboxes. Exists when the domain has another one or the
	// account serves another domain, NotFound when there is no such account.
	SetSharedAccount(ctx context.Context, domain string, account AccountID) error
	// SharedAccounts returns all of them in the order of their domains.
	SharedAccounts(ctx context.Context) ([]SharedAccount, error)
}
