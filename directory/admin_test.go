package directory

import (
	"context"
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func mustAccount(t *testing.T, d *Local, address string) *metadata.Account {
	t.Helper()
	a, err := d.Account(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAddAccount(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	a, err := d.AddAccount(ctx, "Alice", "secret")
	if err != nil || a.Address != "alice@example.org" {
		t.Fatalf("%+v, %v", a, err)
	}
	boxes, err := d.meta.Mailboxes(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range boxes {
		got = append(got, m.Name+m.SpecialUse)
	}
	if want := []string{`Archive\Archive`, `Drafts\Drafts`, "INBOX", `Junk\Junk`, `Sent\Sent`, `Trash\Trash`}; !slices.Equal(got, want) {
		t.Errorf("mailboxes %q", got)
	}
	subscribed, err := d.meta.Subscriptions(ctx, a.ID)
	if want := []string{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"}; err != nil || !slices.Equal(subscribed, want) {
		t.Errorf("subscribed to %q, %v", subscribed, err)
	}
	if _, err := d.Authenticate(ctx, "alice", "secret"); err != nil {
		t.Error(err)
	}
	alias(t, d, "info@example.org", "alice@example.org")
	for address, kind := range map[string]mailerr.Kind{"alice@EXAMPLE.org": mailerr.Exists, "info": mailerr.Exists, "a b": mailerr.Invalid} {
		if _, err := d.AddAccount(ctx, address, "x"); !mailerr.Is(err, kind) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := d.AddAccount(ctx, "bob", ""); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("no password: %v", err)
	}
	if _, err := d.Account(ctx, "bob"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("an account was left: %v", err)
	}
}

func TestSetPasswordQuotaRemove(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	account(t, d, "alice", "old")
	if err := d.SetPassword(ctx, "alice", "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(ctx, "alice", "old"); !mailerr.Is(err, mailerr.Permission) {
		t.Errorf("%v", err)
	}
	if _, err := d.Authenticate(ctx, "alice", "new"); err != nil {
		t.Error(err)
	}
	if err := d.SetQuota(ctx, "alice", 1<<20, 5); err != nil {
		t.Error(err)
	}
	if a := mustAccount(t, d, "alice"); a.QuotaBytes != 1<<20 || a.QuotaMessages != 5 {
		t.Errorf("%+v", a)
	}
	if err := d.RemoveAccount(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"password": func() error { return d.SetPassword(ctx, "alice", "x") },
		"quota":    func() error { return d.SetQuota(ctx, "alice", 0, 0) },
		"remove":   func() error { return d.RemoveAccount(ctx, "alice") },
	} {
		if err := f(); !mailerr.Is(err, mailerr.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Resolve(ctx, "alice"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestListsAreWholeAcrossPages(t *testing.T) {
	for _, n := range []int{0, 1, page - 1, page, page + 1, 2*page + 3} {
		rows := make([]int, n)
		for i := range rows {
			rows[i] = i + 1
		}
		key := func(i int) string { return string(rune('A' + i)) }
		seen := 0
		for row, err := range paged(func(after string) ([]int, error) {
			rest := rows[seen:]
			if seen > 0 && after != key(seen) {
				t.Errorf("asked for rows after %q", after)
			}
			return rest[:min(page, len(rest))], nil
		}, key) {
			if seen++; err != nil || row != seen {
				t.Fatalf("row %d: %d, %v", seen, row, err)
			}
		}
		if seen != n {
			t.Errorf("%d of %d rows", seen, n)
		}
	}
	for _, err := range paged(func(string) ([]int, error) { return nil, context.Canceled }, func(int) string { return "" }) {
		if err == nil {
			t.Error("the error is lost")
		}
	}
}

func TestGeneratedPasswords(t *testing.T) {
	a, b := GeneratePassword(), GeneratePassword()
	if a == b || len(a) != 23 || checkPassword(a) != nil {
		t.Errorf("%q %q", a, b)
	}
}
