package directory

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Bounds of what one address may lead to.
const (
	maxAliasLevels = 8
	maxExpansion   = 10_000 // addresses looked at
)

// Resolve follows an address through aliases to accounts. An address is looked for whole, then without its detail. The
// detail goes with the mail through aliases, unless a target has one of its own. A target that leads nowhere, and a loop,
// are passed over.
func (d *Local) Resolve(ctx context.Context, address string) ([]Target, error) {
	asked, err := parseRecipient(address, d.domain)
	if err != nil {
		return nil, err
	}
	e := &expansion{
		seen:     map[Address]bool{asked: true},
		accounts: make(map[metadata.AccountID]bool),
		address:  asked.String(),
	}
	level := []step{{addr: asked}}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxAliasLevels {
			d.log.WarnContext(ctx, "aliases nested too deeply", "address", e.address, "levels", maxAliasLevels)
			if len(e.targets) == 0 {
				// A mistake in our own tables: the sender's queue keeps the mail until it is mended.
				return nil, mailerr.New("directory.Resolve", mailerr.Internal, "")
			}
			break
		}
		found, err := d.meta.LookupAddresses(ctx, d.candidates(level))
		if err != nil {
			return nil, err
		}
		if level, err = d.follow(e, level, found); err != nil {
			return nil, err
		}
	}
	if len(e.targets) == 0 {
		return nil, mailerr.New("directory.Resolve", mailerr.NotFound, "no such address here")
	}
	return e.targets, nil
}

// expansion is one Resolve under way.
type expansion struct {
	address  string // as asked for
	seen     map[Address]bool
	accounts map[metadata.AccountID]bool
	targets  []Target
}

// step is an address to be looked up, and the detail it inherits.
type step struct {
	addr   Address
	detail string
}

// candidates returns every spelling that a level's addresses may be found under.
func (d *Local) candidates(level []step) []string {
	names := make([]string, 0, 2*len(level))
	had := make(map[string]bool, 2*len(level))
	add := func(a Address) {
		if s := a.String(); !had[s] {
			had[s] = true
			names = append(names, s)
		}
	}
	for _, s := range level {
		add(s.addr)
		if base, _, ok := s.addr.detail(d.delimiter); ok {
			add(base)
		}
	}
	return names
}

// follow takes one step from every address of a level and returns the next level.
func (d *Local) follow(e *expansion, level []step, found map[string]metadata.AddressTarget) ([]step, error) {
	var next []step
	for _, s := range level {
		to, ok := found[s.addr.String()]
		if !ok {
			base, detail, split := s.addr.detail(d.delimiter)
			if !split {
				continue
			}
			if to, ok = found[base.String()]; !ok {
				continue
			}
			s.detail = detail
		}
		if to.Account != nil {
			if !e.accounts[to.Account.ID] {
				e.accounts[to.Account.ID] = true
				e.targets = append(e.targets, Target{Account: *to.Account, Address: e.address, Detail: s.detail})
			}
			continue
		}
		for _, t := range to.Targets {
			a, err := ParseAddress(t, d.domain)
			if err != nil {
				return nil, mailerr.Wrap("directory.Resolve", mailerr.Internal, err)
			}
			if e.seen[a] {
				continue
			}
			if len(e.seen) >= maxExpansion {
				return nil, mailerr.New("directory.Resolve", mailerr.Limit, "the alias leads to too many addresses")
			}
			e.seen[a] = true
			next = append(next, step{a, s.detail})
		}
	}
	return next, nil
}
