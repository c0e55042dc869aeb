package directory

import (
	"context"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// SetDomain stores a domain's rules, replacing those it had, and returns them normalised. Invalid; NotFound for a catch-all that
// leads nowhere; Exists when rules contradict each other or what is there.
func (d *Local) SetDomain(ctx context.Context, dom metadata.Domain) (*metadata.Domain, error) {
	const op = "directory.SetDomain"
	var err error
	if dom.Name, err = ParseDomain(dom.Name); err != nil {
		return nil, err
	}
	if dom.Delimiter != "" && dom.Delimiter != noDetails && !isDelimiter(dom.Delimiter) {
		return nil, mailerr.New(op, mailerr.Invalid, "a delimiter is one character such as \"+\", or \"none\"")
	}
	if err := d.checkAliasOf(ctx, &dom); err != nil {
		return nil, err
	}
	if err := d.checkCatchAll(ctx, &dom); err != nil {
		return nil, err
	}
	if err := d.checkCase(ctx, dom); err != nil {
		return nil, err
	}
	defer d.rules.forget()
	if err := d.meta.SetDomain(ctx, dom); err != nil {
		return nil, err
	}
	return &dom, nil
}

func isDelimiter(s string) bool {
	return utf8.RuneCountInString(s) == 1 && !strings.ContainsAny(s, "@\"\\ \t\r\n") && isPrintable(s)
}

// checkAliasOf keeps alias domains one step long: a look-up must not have to follow them.
func (d *Local) checkAliasOf(ctx context.Context, dom *metadata.Domain) (err error) {
	const op = "directory.SetDomain"
	if dom.AliasOf == "" {
		return nil
	}
	if dom.AliasOf, err = ParseDomain(dom.AliasOf); err != nil {
		return err
	}
	if dom.AliasOf == dom.Name {
		return mailerr.New(op, mailerr.Invalid, dom.Name+" cannot be an alias of itself")
	}
	for other, err := range d.Domains(ctx) {
		switch {
		case err != nil:
			return err
		case other.Name == dom.AliasOf && other.AliasOf != "":
			return mailerr.New(op, mailerr.Exists, dom.AliasOf+" is an alias of "+other.AliasOf+" itself: use that")
		case other.AliasOf == dom.Name:
			return mailerr.New(op, mailerr.Exists, other.Name+" is an alias of "+dom.Name+", which cannot be one then")
		}
	}
	return nil
}

func (d *Local) checkCatchAll(ctx context.Context, dom *metadata.Domain) error {
	const op = "directory.SetDomain"
	if dom.CatchAll == "" {
		return nil
	}
	a, err := parseKeepingCase(dom.CatchAll, dom.Name)
	if err != nil {
		return err
	}
	_, err = d.Resolve(ctx, a.String())
	if err == nil && a.Domain == dom.Name {
		err = d.stored(ctx, a) // a catch-all must not lead anywhere only because there was one before
	}
	switch {
	case mailerr.Is(err, mailerr.NotFound):
		return mailerr.New(op, mailerr.NotFound, "there is no account or alias "+a.String()+" here; add it first")
	case err != nil:
		return err
	}
	dom.CatchAll = a.String()
	if a, err = d.parse(ctx, dom.CatchAll); err == nil && !(dom.KeepCase && a.Domain == dom.Name) {
		dom.CatchAll = a.String()
	}
	return err
}

// stored returns NotFound when there is neither an account nor an alias for an address.
func (d *Local) stored(ctx context.Context, a Address) error {
	run := &resolving{d: d, rules: make(map[string]metadata.Domain), active: []*expansion{newExpansion(a)}}
	found, err := run.lookUp(ctx)
	if err == nil && len(found) == 0 {
		err = mailerr.New("directory.SetDomain", mailerr.NotFound, "")
	}
	return err
}

// checkCase refuses to fold the case of addresses that were given with capital letters: nothing would lead to them any more.
func (d *Local) checkCase(ctx context.Context, dom metadata.Domain) error {
	was, err := d.rules.of(ctx, dom.Name)
	if err != nil || dom.KeepCase || !was.KeepCase {
		return err
	}
	check := func(address string) error {
		a, err := parseKeepingCase(address, d.domain)
		if err != nil || a.Domain != dom.Name || a == a.fold() {
			return err
		}
		return mailerr.New("directory.SetDomain", mailerr.Exists, address+" has capital letters: remove it before case is to matter no longer")
	}
	for account, err := range d.Accounts(ctx) {
		if err == nil {
			err = check(account.Address)
		}
		if err != nil {
			return err
		}
	}
	for alias, err := range d.Aliases(ctx) {
		if err == nil {
			err = check(alias.Address)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Domain returns a domain's rules. Invalid, NotFound when it has none.
func (d *Local) Domain(ctx context.Context, name string) (*metadata.Domain, error) {
	name, err := ParseDomain(name)
	if err != nil {
		return nil, err
	}
	found, err := d.meta.LookupDomains(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	dom, ok := found[name]
	if !ok {
		return nil, mailerr.New("directory.Domain", mailerr.NotFound, "there are no rules for "+name)
	}
	return &dom, nil
}

// RemoveDomain removes a domain's rules; its accounts and aliases stay. Invalid, NotFound. Exists while an address of
// its own has capital letters that its rules keep.
func (d *Local) RemoveDomain(ctx context.Context, name string) error {
	const op = "directory.RemoveDomain"
	dom, err := d.Domain(ctx, name)
	if err != nil {
		return err
	}
	without := metadata.Domain{Name: dom.Name}
	if err := d.checkCase(ctx, without); err != nil {
		return err
	}
	defer d.rules.forget()
	if err := d.meta.RemoveDomain(ctx, dom.Name); mailerr.Is(err, mailerr.NotFound) {
		return mailerr.New(op, mailerr.NotFound, "there are no rules for "+dom.Name)
	} else if err != nil {
		return err
	}
	return nil
}

// Domains yields the domains that have rules in the order of their names; after an error it ends.
func (d *Local) Domains(ctx context.Context) iter.Seq2[metadata.Domain, error] {
	return paged(func(after string) ([]metadata.Domain, error) { return d.meta.Domains(ctx, after, page) },
		func(dom metadata.Domain) string { return dom.Name })
}

// SetDetailMailbox sets whether mail for a detail goes to the mailbox of that name in an account. Invalid, NotFound.
func (d *Local) SetDetailMailbox(ctx context.Context, address string, to metadata.Switch) error {
	account, err := d.Account(ctx, address)
	if err != nil {
		return err
	}
	return d.meta.SetDetailMailbox(ctx, account.ID, to)
}
