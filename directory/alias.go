package directory

import (
	"context"
	"iter"
	"slices"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// maxAliasTargets bounds the addresses one alias may name; more are reached through aliases of aliases.
const maxAliasTargets = 1000

// SetAlias makes an address stand for others, replacing what it stood for. Every target must lead to an account. Invalid,
// Exists when the address is an account's, NotFound for a target that leads nowhere, Limit.
func (d *Local) SetAlias(ctx context.Context, address string, targets ...string) (*metadata.Alias, error) {
	const op = "directory.SetAlias"
	a, err := d.parse(ctx, address)
	if err != nil {
		return nil, err
	}
	alias := metadata.Alias{Address: a.String()}
	switch {
	case len(targets) == 0:
		return nil, mailerr.New(op, mailerr.Invalid, "an alias needs at least one address to stand for")
	case len(targets) > maxAliasTargets:
		return nil, mailerr.New(op, mailerr.Limit, "an alias stands for at most 1000 addresses; use aliases of aliases")
	}
	for _, t := range targets {
		target, err := d.aliasTarget(ctx, a, t)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(alias.Targets, target) {
			alias.Targets = append(alias.Targets, target)
		}
	}
	if err := d.meta.SetAlias(ctx, alias); err != nil {
		if mailerr.Is(err, mailerr.Exists) {
			return nil, mailerr.New(op, mailerr.Exists, alias.Address+" is an account; an alias needs another address")
		}
		return nil, err
	}
	return &alias, nil
}

func (d *Local) aliasTarget(ctx context.Context, alias Address, target string) (string, error) {
	const op = "directory.SetAlias"
	t, err := d.parse(ctx, target)
	if err != nil {
		return "", err
	}
	if base, _, _ := t.detail(d.delimiter); t == alias || base == alias {
		return "", mailerr.New(op, mailerr.Invalid, alias.String()+" cannot stand for itself")
	}
	switch _, err := d.Resolve(ctx, t.String()); {
	case mailerr.Is(err, mailerr.NotFound):
		return "", mailerr.New(op, mailerr.NotFound, "there is no account or alias "+t.String()+" here; add it first (an alias cannot lead to another site)")
	case err != nil:
		return "", err
	}
	return t.String(), nil
}

// RemoveAlias removes an alias. Invalid, NotFound.
func (d *Local) RemoveAlias(ctx context.Context, address string) error {
	a, err := d.parse(ctx, address)
	if err != nil {
		return err
	}
	if err := d.meta.RemoveAlias(ctx, a.String()); mailerr.Is(err, mailerr.NotFound) {
		return mailerr.New("directory.RemoveAlias", mailerr.NotFound, "there is no alias "+a.String())
	} else if err != nil {
		return err
	}
	return nil
}

// Aliases yields every alias in the order of addresses; after an error it ends.
func (d *Local) Aliases(ctx context.Context) iter.Seq2[metadata.Alias, error] {
	return paged(func(after string) ([]metadata.Alias, error) { return d.meta.Aliases(ctx, after, page) },
		func(a metadata.Alias) string { return a.Address })
}
