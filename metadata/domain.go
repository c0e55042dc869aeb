package metadata

import "context"

// Domain is how mail for the addresses of one domain is handled. A domain without a row is the zero Domain of its name.
type Domain struct {
	Name          string // normalised (see directory)
	AliasOf       string // the domain whose addresses its own stand for, where it has none itself; "": none
	CatchAll      string // the address that mail for unknown addresses goes to; "": it is refused
	Delimiter     string // between user and detail, one character; "": the installation's; NoDelimiter: there are no details
	KeepCase      bool   // local parts that differ in case are different addresses
	DetailMailbox Switch // whether mail for a detail goes to the mailbox of that name
}

// NoDelimiter is the Delimiter of a domain whose addresses have no details.
const NoDelimiter = "none"

// Switch is on, off, or what the level above says: the domain above the account, the installation above the domain.
type Switch int8

// The values of a Switch, also in the database.
const (
	Inherit Switch = 0
	On      Switch = 1
	Off     Switch = 2
)

// Or returns s, or above when s leaves it to the level above.
func (s Switch) Or(above bool) bool {
	switch s {
	case On:
		return true
	case Off:
		return false
	}
	return above
}

// DomainStore is the rules for recipients that the directory keeps here.
type DomainStore interface {
	// SetDomain stores a domain, replacing what is there. Invalid for names that cannot be stored.
	SetDomain(ctx context.Context, d Domain) error
	// RemoveDomain removes a domain's row; its accounts and aliases stay. NotFound.
	RemoveDomain(ctx context.Context, name string) error
	// Domains returns up to limit domains in the order of their names, after the given name ("" for the start).
	Domains(ctx context.Context, after string, limit int) ([]Domain, error)
	// LookupDomains returns the domains of the names that have a row. One round trip.
	LookupDomains(ctx context.Context, names []string) (map[string]Domain, error)

	// SetDetailMailbox sets whether mail for a detail goes to the mailbox of that name in an account. NotFound.
	SetDetailMailbox(ctx context.Context, account AccountID, to Switch) error
	// DetailMailboxes returns the switches of those accounts that do not leave it to their domain. One round trip.
	DetailMailboxes(ctx context.Context, accounts []AccountID) (map[AccountID]Switch, error)
}
