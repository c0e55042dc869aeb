package directory

import (
	"slices"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestMembers(t *testing.T) {
	d, _, _ := open(t)
	for _, a := range []string{"alice", "bob@example.org"} {
		account(t, d, a, "x")
	}
	alias(t, d, "team@example.org", "alice@example.org", "Robert@example.org")
	alias(t, d, "robert@example.org", "bob@example.org")
	alias(t, d, "all@example.org", "team@example.org", "bob@example.org")
	alias(t, d, "loop@example.org", "loop@example.org")
	accounts, aliases, err := d.Members(t.Context(), "ALL@example.org")
	if err != nil || !slices.Equal(accounts, []string{"bob@example.org", "alice@example.org"}) {
		t.Errorf("%q, %v", accounts, err)
	}
	if !slices.Contains(aliases, "team@example.org") || slices.Contains(aliases, "all@example.org") {
		t.Errorf("%q", aliases)
	}
	for address, kind := range map[string]mailerr.Kind{"nobody@example.org": mailerr.NotFound, "loop@example.org": mailerr.NotFound, "": mailerr.Invalid} {
		if _, _, err := d.Members(t.Context(), address); !mailerr.Is(err, kind) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
