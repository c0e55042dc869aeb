package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestResolve(t *testing.T) {
	d, _, _ := open(t)
	for _, a := range []string{"alice", "bob@example.org", "carol+list@example.org", "carol@example.org", "jörg@exämple.org", `"a b"@example.org`, "postmaster@other.org"} {
		account(t, d, a, "x")
	}
	alias(t, d, "both@example.org", "alice@example.org", "bob@example.org", "alice@example.org", "alice+x@example.org")
	alias(t, d, "nested@example.org", "both@example.org", "carol@example.org")
	alias(t, d, "tagged@example.org", "alice+fixed@example.org")
	alias(t, d, "loop1@example.org", "loop2@example.org")
	alias(t, d, "loop2@example.org", "loop1@example.org", "loop2@example.org")
	alias(t, d, "looped@example.org", "looped@example.org", "bob@example.org")
	alias(t, d, "self+tag@example.org", "self@example.org")
	alias(t, d, "self@example.org", "self+tag@example.org", "self+more@example.org", "bob@example.org")
	alias(t, d, "half@example.org", "gone@example.org", "bob@example.org")
	alias(t, d, "dangling@example.org", "gone@example.org")
	alias(t, d, "postmaster@example.org", "bob@example.org")
	alias(t, d, "deep0@example.org", "alice@example.org")
	for i := 1; i <= 8; i++ {
		alias(t, d, fmt.Sprintf("deep%d@example.org", i), fmt.Sprintf("deep%d@example.org", i-1))
	}
	alias(t, d, "deepandbob@example.org", "deep8@example.org", "bob@example.org")

	for _, tc := range []struct {
		address string
		want    string // "account/detail ...", or the kind of error
	}{
		{"alice@example.org", "alice@example.org/"},
		{"ALICE@Example.ORG", "alice@example.org/"},
		{"alice", "alice@example.org/"},
		{"alice+Work", "alice@example.org/Work"},
		{"alice+a+b@example.org", "alice@example.org/a+b"},
		{"alice+@example.org", "alice@example.org/"},
		{"carol+list@example.org", "carol+list@example.org/"},
		{"carol+list+x@example.org", "carol@example.org/list+x"},
		{"carol+other@example.org", "carol@example.org/other"},
		{"JÖRG@xn--exmple-cua.org", "jörg@exämple.org/"},
		{"a b@example.org", `"a b"@example.org/`},
		{"both@example.org", "alice@example.org/ bob@example.org/"},
		{"both+t@example.org", "alice@example.org/t bob@example.org/t"},
		{"nested@example.org", "carol@example.org/ alice@example.org/ bob@example.org/"},
		{"tagged+t@example.org", "alice@example.org/fixed"},
		{"looped@example.org", "bob@example.org/"},
		{"self@example.org", "bob@example.org/"},
		{"half@example.org", "bob@example.org/"},
		{"postmaster", "bob@example.org/"},
		{"Postmaster", "bob@example.org/"},
		{"postmaster@other.org", "postmaster@other.org/"},
		{"deep7@example.org", "alice@example.org/"},
		{"deep8@example.org", "internal error"}, // nine levels: ours to mend, the mail must not bounce
		{"deepandbob@example.org", "bob@example.org/"},
		{"loop1@example.org", "not found"},
		{"dangling@example.org", "not found"},
		{"nobody@example.org", "not found"},
		{"+alice@example.org", "not found"},
		{"alice@elsewhere.org", "not found"},
		{"", "invalid"}, {"@example.org", "invalid"}, {"a\r\nb@example.org", "invalid"},
	} {
		targets, err := d.Resolve(t.Context(), tc.address)
		var got []string
		for _, to := range targets {
			got = append(got, to.Account.Address+"/"+to.Detail)
			if a, _ := ParseAddress(quoted(tc.address), d.domain); to.Address != a.String() {
				t.Errorf("%s: Target.Address %q", tc.address, to.Address)
			}
		}
		s := strings.Join(got, " ")
		if err != nil {
			s = mailerr.KindOf(err).String()
		}
		if s != tc.want {
			t.Errorf("%q leads to %q, want %q (%v)", tc.address, s, tc.want, err)
		}
	}
}

// quoted is an address as ParseAddress takes it.
func quoted(address string) string {
	if a, err := parseRecipient(address, "example.org"); err == nil {
		return a.String()
	}
	return address
}

func TestResolveAsksOncePerLevel(t *testing.T) {
	d, spy, _ := open(t)
	account(t, d, "alice", "x")
	account(t, d, "bob", "x")
	alias(t, d, "list@example.org", "alice@example.org", "bob@example.org", "alice+x@example.org")
	spy.calls = 0
	if _, err := d.Resolve(t.Context(), "list+y@example.org"); err != nil {
		t.Fatal(err)
	}
	if spy.calls != 2 {
		t.Errorf("%d look-ups for two levels", spy.calls)
	}
}

func TestResolveIsBounded(t *testing.T) {
	d, spy, _ := open(t)
	// Every alias leads to a thousand more: a hundred million without a bound.
	var level []string
	for i := range 100 {
		var below []string
		for j := range 1000 {
			below = append(below, fmt.Sprintf("x%d-%d@example.org", i, j))
		}
		name := fmt.Sprintf("w%d@example.org", i)
		alias(t, d, name, below...)
		level = append(level, name)
	}
	alias(t, d, "wide@example.org", level...)
	if _, err := d.Resolve(t.Context(), "wide@example.org"); !mailerr.Is(err, mailerr.Limit) {
		t.Errorf("%v", err)
	}
	if spy.lookups > 2*maxExpansion {
		t.Errorf("%d addresses looked up", spy.lookups)
	}
}

func TestResolveWithoutDelimiter(t *testing.T) {
	d, spy, _ := open(t)
	account(t, d, "alice", "x")
	d.delimiter = ""
	if _, err := d.Resolve(t.Context(), "alice+x"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("%v", err)
	}
	spy.fail = mailerr.Wrap("test", mailerr.Unavailable, errors.New("database gone"))
	if _, err := d.Resolve(t.Context(), "alice"); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%v", err)
	}
}

func TestAliasesAreChecked(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	account(t, d, "alice", "x")
	a, err := d.SetAlias(ctx, "Info", "ALICE", "alice@example.org", "alice+info")
	if err != nil || a.Address != "info@example.org" || !slices.Equal(a.Targets, []string{"alice@example.org", "alice+info@example.org"}) {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := d.SetAlias(ctx, "all", "info"); err != nil {
		t.Errorf("an alias of an alias: %v", err)
	}
	for _, tc := range []struct {
		alias   string
		targets []string
		kind    mailerr.Kind
	}{
		{"x", nil, mailerr.Invalid}, {"x", []string{"nobody"}, mailerr.NotFound}, {"x", []string{"alice", "@"}, mailerr.Invalid},
		{"a b", []string{"alice"}, mailerr.Invalid}, {"alice", []string{"info"}, mailerr.Exists}, {"info", []string{"info"}, mailerr.Invalid},
		{"info", []string{"info+x"}, mailerr.Invalid}, {"x", make([]string, maxAliasTargets+1), mailerr.Limit},
	} {
		if _, err := d.SetAlias(ctx, tc.alias, tc.targets...); !mailerr.Is(err, tc.kind) || mailerr.ClientText(err) == "" {
			t.Errorf("%s -> %v: %v, want %v", tc.alias, tc.targets, err, tc.kind)
		}
	}
	var names []string
	for a, err := range d.Aliases(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, a.Address)
	}
	if !slices.Equal(names, []string{"all@example.org", "info@example.org"}) {
		t.Errorf("%v", names)
	}
	if err := d.RemoveAlias(ctx, "INFO"); err != nil {
		t.Error(err)
	}
	if err := d.RemoveAlias(ctx, "info"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("%v", err)
	}
}
