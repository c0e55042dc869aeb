package directory

import (
	"context"
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// SharedLocalPart is the local part of a shared account's address where no other is asked for.
const SharedLocalPart = "shared"

// CreateShared makes the account that owns a domain's shared mailboxes, or finds it, and gives the administrators all rights
// on its INBOX: what is created at the top of "Shared/" inherits them. Nobody can log in as that account. address is for a
// new one; "" means SharedLocalPart in the domain. Invalid for an administrator of another domain, NotFound for one that has
// no account, Exists for an address that is taken.
func (d *Local) CreateShared(ctx context.Context, domain, address string, administrators ...string) (*metadata.Account, error) {
	const op = "directory.CreateShared"
	domain, err := ParseDomain(domain)
	if err != nil {
		return nil, err
	}
	var admins []string
	for _, a := range administrators {
		account, err := d.Account(ctx, a)
		if err != nil {
			return nil, err
		}
		if metadata.EverybodyIn(account.Address) != "@"+domain {
			return nil, mailerr.New(op, mailerr.Invalid, account.Address+" is not in "+domain+": shared mailboxes are for one domain")
		}
		admins = append(admins, account.Address)
	}
	account, err := d.sharedAccount(ctx, domain, address)
	if err != nil {
		return nil, err
	}
	inbox, err := d.meta.Mailbox(ctx, account.ID, "INBOX")
	if err != nil {
		return nil, err
	}
	for _, a := range admins {
		err := d.meta.SetACL(ctx, account.ID, inbox.ID, metadata.ACLChange{Grantee: a, Rights: metadata.AllRights})
		if err != nil {
			return nil, err
		}
	}
	return account, nil
}

// sharedAccount returns a domain's shared account, made now if there is none.
func (d *Local) sharedAccount(ctx context.Context, domain, address string) (*metadata.Account, error) {
	const op = "directory.CreateShared"
	all, err := d.meta.SharedAccounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Domain == domain {
			return d.meta.Account(ctx, s.Account)
		}
	}
	if address == "" {
		address = SharedLocalPart
	}
	if !strings.Contains(address, "@") {
		address += "@" + domain
	}
	a, err := d.parse(ctx, address)
	if err != nil {
		return nil, err
	}
	if a.Domain != domain {
		return nil, mailerr.New(op, mailerr.Invalid, "the address of shared mailboxes is in their domain")
	}
	n := metadata.NewAccount{ID: metadata.NewAccountID(), Address: a.String(), Mailboxes: []metadata.NewMailbox{
		{ID: metadata.NewMailboxID(), Name: "INBOX"},
	}}
	errs, err := d.meta.CreateAccounts(ctx, []metadata.NewAccount{n})
	if err == nil {
		err = errs[0]
	}
	if mailerr.Is(err, mailerr.Exists) {
		return nil, mailerr.New(op, mailerr.Exists, a.String()+" is taken already; name another address for the shared mailboxes")
	}
	if err != nil {
		return nil, err
	}
	if err := d.meta.SetSharedAccount(ctx, domain, n.ID); err != nil {
		return nil, err
	}
	return d.meta.Account(ctx, n.ID)
}

// SharedAccounts returns the shared accounts in the order of their domains.
func (d *Local) SharedAccounts(ctx context.Context) ([]metadata.SharedAccount, error) {
	return d.meta.SharedAccounts(ctx)
}
