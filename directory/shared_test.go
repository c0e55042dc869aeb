package directory

import (
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func TestCreateShared(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	for _, address := range []string{"alice", "bob", "eve@example.net"} {
		if _, err := d.AddAccount(ctx, address, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.CreateShared(ctx, "example.org", "", "eve@example.net"); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("an administrator of another domain: %v", err)
	}
	if _, err := d.CreateShared(ctx, "example.org", "", "nobody"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("an administrator without an account: %v", err)
	}
	if _, err := d.CreateShared(ctx, "example.org", "bob"); !mailerr.Is(err, mailerr.Exists) {
		t.Errorf("an account that is there: %v", err)
	}
	if _, err := d.CreateShared(ctx, "example.org", "x@example.net"); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("an address of another domain: %v", err)
	}
	first, err := d.CreateShared(ctx, "Example.ORG", "", "alice")
	if err != nil || first.Address != "shared@example.org" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := d.CreateShared(ctx, "example.org", "other", "bob")
	if err != nil || again.ID != first.ID {
		t.Fatalf("%+v, %v", again, err)
	}
	inbox, err := d.meta.Mailbox(ctx, first.ID, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	acl, err := d.meta.ACL(ctx, inbox.ID)
	if err != nil || acl.Rights("alice@example.org") != metadata.AllRights || acl.Rights("bob@example.org") != metadata.AllRights || len(acl) != 2 {
		t.Errorf("%v, %v", acl, err)
	}
	if _, err := d.Authenticate(ctx, "shared", ""); !mailerr.Is(err, mailerr.Permission) {
		t.Errorf("a login: %v", err)
	}
	all, err := d.SharedAccounts(ctx)
	if err != nil || len(all) != 1 || all[0].Domain != "example.org" {
		t.Errorf("%v, %v", all, err)
	}
}

// TestCanonical: the form an address has follows its domain's rule for case.
func TestCanonical(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	if _, err := d.SetDomain(ctx, metadata.Domain{Name: "case.example", KeepCase: true}); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"BOB@Example.ORG": "bob@example.org", "BOB@Case.Example": "BOB@case.example"} {
		if got, err := d.Canonical(ctx, in); err != nil || got != want {
			t.Errorf("%s is %q, %v", in, got, err)
		}
	}
	if _, err := d.Canonical(ctx, "a b@example.org"); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("no address: %v", err)
	}
}
