package directory

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// Directory answers the speakers' two questions.
type Directory interface {
	// Authenticate returns the account of a login name and password. Permission for a wrong name, a wrong password or a
	// disabled account, which take the same time; Unavailable when it cannot be known now.
	Authenticate(ctx context.Context, login, password string) (*metadata.Account, error)
	// Resolve returns the accounts that mail for an address goes to, each once. "postmaster" without a domain is looked up in
	// the default domain. NotFound when the address leads nowhere, Invalid when it is none, Unavailable.
	Resolve(ctx context.Context, address string) ([]Target, error)
	// ResolveAll is Resolve for each address, all in as few round trips as the one that takes most. It returns as many results
	// as there are addresses.
	ResolveAll(ctx context.Context, addresses []string) []Resolution
	// Canonical returns an address in the one form that its account would have, whether there is one or not. Invalid,
	// Unavailable.
	Canonical(ctx context.Context, address string) (string, error)
}

// Target is one account that mail for an address goes to.
type Target struct {
	Account   metadata.Account
	Address   string // the normalised address that was asked for, detail included; for Delivered-To
	Delimiter string // what separates user and detail in its domain; "": nothing does
	Detail    string // what follows the delimiter, as it was written
	Mailbox   string // where the account wants mail for this detail, if it has a mailbox of that name; "": INBOX
}

// Resolution is what Resolve returns for one address.
type Resolution struct {
	Targets []Target
	Err     error
}
