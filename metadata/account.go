package metadata

import "time"

// Account is one user: the owner of mailboxes, with the clock and the quota.
type Account struct {
	ID            AccountID
	Address       string // primary address, as given, normalised (see directory)
	PasswordHash  string // "{SCHEME}hash"; "" means no password login
	ModSeq        ModSeq // the clock: the last MODSEQ given to any of the account's mailboxes
	UsedBytes     int64
	UsedMessages  int64
	QuotaBytes    int64 // 0: no limit
	QuotaMessages int64 // 0: no limit
	Disabled      bool  // may not log in; mail for it is refused temporarily
	Created       time.Time
	Scripts       ScriptState // only from LookupAddresses
}

// NewAccount is what CreateAccounts stores. Mailboxes are created with it, in the same transaction, so that an account is
// never seen without its INBOX.
type NewAccount struct {
	ID            AccountID
	Address       string
	PasswordHash  string
	QuotaBytes    int64
	QuotaMessages int64
	Mailboxes     []NewMailbox
}

// Alias is an address that stands for other addresses, local to this installation.
type Alias struct {
	Address string
	Targets []string // at least one
}

// AddressTarget is what an address leads to: an account, or the targets of an alias. Exactly one is set.
type AddressTarget struct {
	Account *Account
	Targets []string
}
