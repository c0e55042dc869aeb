package directory

import (
	"context"

	"github.com/rookery-mail/rookery/metadata"
)

// SetDomainQuota limits what the accounts of a domain may store together; 0 is no limit. Invalid.
func (d *Local) SetDomainQuota(ctx context.Context, domain string, bytes, messages int64) error {
	name, err := ParseDomain(domain)
	if err != nil {
		return err
	}
	return d.meta.SetDomainQuota(ctx, name, bytes, messages)
}

// DomainQuotas returns the domains with limits.
func (d *Local) DomainQuotas(ctx context.Context) ([]metadata.DomainQuota, error) {
	return d.meta.DomainQuotas(ctx)
}

// Recount counts an account's rows anew and returns the counters that were wrong. NotFound.
func (d *Local) Recount(ctx context.Context, address string) ([]metadata.Drift, error) {
	account, err := d.Account(ctx, address)
	if err != nil {
		return nil, err
	}
	return d.meta.Recount(ctx, account.ID)
}
