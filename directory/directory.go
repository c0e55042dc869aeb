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
}

// Target is one account that mail for an address goes to.
type Target struct {
	Account metadata.Account
	Address string // the normalised address that was asked for, detail included; for Delivered-To
	Detail  string
}
