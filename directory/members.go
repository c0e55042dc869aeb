package directory

import (
	"context"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Members returns the addresses of the accounts that mail for an address goes to, each once, and the addresses by which it gets
// to them, aliases that the address stands for. NotFound, Invalid, Unavailable, Limit as of Resolve.
func (d *Local) Members(ctx context.Context, address string) (accounts, aliases []string, err error) {
	asked, err := parseRecipient(address, d.domain)
	if err != nil {
		return nil, nil, err
	}
	e := newExpansion(asked)
	run := &resolving{d: d, rules: map[string]metadata.Domain{}, active: []*expansion{e}}
	switch err := run.toTheEnd(ctx); {
	case err != nil:
		return nil, nil, err
	case e.err != nil:
		return nil, nil, e.err
	case len(e.targets) == 0:
		return nil, nil, mailerr.New("directory.Members", mailerr.NotFound, "no such address here")
	}
	for i := range e.targets {
		accounts = append(accounts, e.targets[i].Account.Address)
	}
	for a := range e.seen {
		if a != asked {
			aliases = append(aliases, a.String())
		}
	}
	slices.Sort(aliases)
	return accounts, aliases, nil
}
