package directory

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func setDomain(t testing.TB, d *Local, dom metadata.Domain) {
	t.Helper()
	if _, err := d.SetDomain(t.Context(), dom); err != nil {
		t.Fatal(err)
	}
}

// leads returns where an address leads as "account/detail/mailbox ...", or the kind of error.
func leads(t testing.TB, d *Local, address string) string {
	t.Helper()
	targets, err := d.Resolve(t.Context(), address)
	if err != nil {
		return mailerr.KindOf(err).String()
	}
	var got []string
	for _, to := range targets {
		got = append(got, to.Account.Address+"/"+to.Detail+"/"+to.Mailbox)
	}
	return strings.Join(got, " ")
}

func TestDomainRules(t *testing.T) {
	d, _, _ := open(t)
	for _, a := range []string{"anna@a.example", "bert@a.example", "rest@a.example", "own@alias.example", "dash@dash.example", "plus+x@none.example"} {
		account(t, d, a, "x")
	}
	setDomain(t, d, metadata.Domain{Name: "A.example", CatchAll: "REST", DetailMailbox: metadata.On})
	setDomain(t, d, metadata.Domain{Name: "alias.example", AliasOf: "a.EXAMPLE"})
	setDomain(t, d, metadata.Domain{Name: "dash.example", Delimiter: "-"})
	setDomain(t, d, metadata.Domain{Name: "none.example", Delimiter: "none", CatchAll: "list@a.example"})
	setDomain(t, d, metadata.Domain{Name: "exämple.org", AliasOf: "a.example"})
	alias(t, d, "list@a.example", "anna@a.example", "bert+l@a.example", "own@alias.example", "dash@dash.example")
	alias(t, d, "loop@none.example", "nobody@none.example")

	for address, want := range map[string]string{
		"anna@a.example":          "anna@a.example//",
		"Anna@alias.example":      "anna@a.example//",
		"anna+Work@alias.example": "anna@a.example/Work/Work",
		"own@alias.example":       "own@alias.example//",
		"own+x@alias.example":     "own@alias.example/x/",
		"anna@xn--exmple-cua.org": "anna@a.example//",
		"nobody@a.example":        "rest@a.example//",
		"nobody+x@a.example":      "rest@a.example//", // the detail was a stranger's
		"nobody@alias.example":    "rest@a.example//",
		"rest+y@a.example":        "rest@a.example/y/y",
		"dash-b-c@dash.example":   "dash@dash.example/b-c/",
		"dash+b@dash.example":     "not found",
		"plus+x@none.example":     "plus+x@none.example//",
		"plus+y@none.example":     "anna@a.example// bert@a.example/l/l own@alias.example// dash@dash.example//",
		"loop@none.example":       "anna@a.example// bert@a.example/l/l own@alias.example// dash@dash.example//",
		"nobody@elsewhere.org":    "not found",
		"list+d@a.example":        "anna@a.example/d/d bert@a.example/l/l own@alias.example/d/ dash@dash.example/d/",
	} {
		if got := leads(t, d, address); got != want {
			t.Errorf("%s leads to %s, want %s", address, got, want)
		}
	}
}

func TestDelimiterOfTarget(t *testing.T) {
	d, _, _ := open(t)
	for _, a := range []string{"anna@a.example", "dash@dash.example", "plus@none.example"} {
		account(t, d, a, "x")
	}
	setDomain(t, d, metadata.Domain{Name: "dash.example", Delimiter: "-", CatchAll: "anna@a.example"})
	setDomain(t, d, metadata.Domain{Name: "none.example", Delimiter: "none"})
	setDomain(t, d, metadata.Domain{Name: "alias.example", AliasOf: "dash.example"})
	setDomain(t, d, metadata.Domain{Name: "own.example", AliasOf: "dash.example", Delimiter: "="})
	for address, want := range map[string]string{
		"anna+x@a.example": "+", "dash-x@dash.example": "-", "plus@none.example": "", "dash-x@alias.example": "-", "dash=x@own.example": "=",
		"stranger-x@dash.example": "-",
	} {
		targets, err := d.Resolve(t.Context(), address)
		if err != nil || len(targets) != 1 || targets[0].Delimiter != want {
			t.Errorf("%s: %+v, %v; want the delimiter %q", address, targets, err, want)
		}
	}
}

func TestCatchAllLoops(t *testing.T) {
	d, _, _ := open(t)
	account(t, d, "anna@a.example", "x")
	// Behind the checks' back: each domain's strangers are the other's.
	for _, dom := range []metadata.Domain{{Name: "b.example", CatchAll: "x@c.example"}, {Name: "c.example", CatchAll: "x@b.example"}} {
		if err := d.meta.SetDomain(t.Context(), dom); err != nil {
			t.Fatal(err)
		}
	}
	if got := leads(t, d, "y@b.example"); got != "not found" {
		t.Error(got)
	}
}

func TestDetailMailboxSwitches(t *testing.T) {
	d, _, _ := open(t)
	account(t, d, "anna", "x")
	set := func(inst bool, dom, acc metadata.Switch) {
		t.Helper()
		d.details = inst
		setDomain(t, d, metadata.Domain{Name: "example.org", DetailMailbox: dom})
		if err := d.SetDetailMailbox(t.Context(), "anna", acc); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		inst     bool
		dom, acc metadata.Switch
		want     bool
	}{
		{false, 0, 0, false}, {true, 0, 0, true}, {true, metadata.Off, 0, false}, {false, metadata.On, 0, true},
		{false, metadata.On, metadata.Off, false}, {true, metadata.Off, metadata.On, true},
	} {
		set(tc.inst, tc.dom, tc.acc)
		if got := leads(t, d, "anna+Lists.Go"); (got == "anna@example.org/Lists.Go/Lists.Go") != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	if err := d.SetDetailMailbox(t.Context(), "nobody", metadata.On); !mailerr.Is(err, mailerr.NotFound) {
		t.Error(err)
	}
}

func TestCaseByDomain(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	account(t, d, "lower@case.example", "x")
	setDomain(t, d, metadata.Domain{Name: "case.example", KeepCase: true})
	for _, a := range []string{"Anna@Case.Example", "anna@case.example", "JÖRG@case.example"} {
		if _, err := d.AddAccount(ctx, a, "correct horse"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.SetAlias(ctx, "List@case.example", "Anna@case.example", "anna@case.example"); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"Anna@case.EXAMPLE":   "Anna@case.example//",
		"anna@case.example":   "anna@case.example//",
		"ANNA@case.example":   "anna@case.example//", // a spelling that is nobody's
		"Anna+X@case.example": "Anna@case.example/X/",
		"ANNA+X@case.example": "anna@case.example/X/",
		"Lower@case.example":  "lower@case.example//",
		"JÖRG@case.example":   "JÖRG@case.example//",
		"jörg@case.example":   "not found",
		"List@case.example":   "Anna@case.example// anna@case.example//",
		"list@case.example":   "not found",
	} {
		if got := leads(t, d, address); got != want {
			t.Errorf("%s leads to %s, want %s", address, got, want)
		}
	}
	for login, want := range map[string]string{"Anna@case.example": "Anna@case.example", "anna@case.example": "anna@case.example"} {
		if a, err := d.Authenticate(ctx, login, "correct horse"); err != nil || a.Address != want {
			t.Errorf("login %s: %+v, %v", login, a, err)
		}
	}
	if _, err := d.SetDomain(ctx, metadata.Domain{Name: "case.example"}); !mailerr.Is(err, mailerr.Exists) {
		t.Errorf("folding capital letters: %v", err)
	}
	if err := d.RemoveDomain(ctx, "case.example"); !mailerr.Is(err, mailerr.Exists) {
		t.Errorf("folding capital letters: %v", err)
	}
	for _, a := range []string{"Anna@case.example", "JÖRG@case.example"} {
		if err := d.RemoveAccount(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.RemoveAlias(ctx, "List@case.example"); err != nil {
		t.Fatal(err)
	}
	if err := d.RemoveDomain(ctx, "Case.example"); err != nil {
		t.Error(err)
	}
	if got := leads(t, d, "Anna@case.example"); got != "anna@case.example//" {
		t.Error(got)
	}
}

func TestDomainsAreChecked(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	account(t, d, "anna@a.example", "x")
	setDomain(t, d, metadata.Domain{Name: "b.example", AliasOf: "a.example"})
	setDomain(t, d, metadata.Domain{Name: "a.example", CatchAll: "anna@a.example"})
	for _, tc := range []struct {
		dom  metadata.Domain
		kind mailerr.Kind
	}{
		{metadata.Domain{Name: "not a domain"}, mailerr.Invalid},
		{metadata.Domain{Name: "x.example", Delimiter: "++"}, mailerr.Invalid},
		{metadata.Domain{Name: "x.example", Delimiter: "@"}, mailerr.Invalid},
		{metadata.Domain{Name: "x.example", Delimiter: "\x01"}, mailerr.Invalid},
		{metadata.Domain{Name: "x.example", AliasOf: "X.example"}, mailerr.Invalid},
		{metadata.Domain{Name: "x.example", AliasOf: "b.example"}, mailerr.Exists},
		{metadata.Domain{Name: "a.example", AliasOf: "x.example"}, mailerr.Exists},
		{metadata.Domain{Name: "x.example", CatchAll: "nobody@x.example"}, mailerr.NotFound},
		{metadata.Domain{Name: "a.example", CatchAll: "nobody"}, mailerr.NotFound}, // leads to anna now, and nowhere then
		{metadata.Domain{Name: "x.example", CatchAll: "@"}, mailerr.Invalid},
	} {
		if _, err := d.SetDomain(ctx, tc.dom); !mailerr.Is(err, tc.kind) || mailerr.ClientText(err) == "" {
			t.Errorf("%+v: %v, want %v", tc.dom, err, tc.kind)
		}
	}
	if dom, err := d.Domain(ctx, "A.EXAMPLE"); err != nil || dom.CatchAll != "anna@a.example" {
		t.Errorf("%+v, %v", dom, err)
	}
	if _, err := d.Domain(ctx, "x.example"); !mailerr.Is(err, mailerr.NotFound) {
		t.Error(err)
	}
	if err := d.RemoveDomain(ctx, "x.example"); !mailerr.Is(err, mailerr.NotFound) {
		t.Error(err)
	}
	var names []string
	for dom, err := range d.Domains(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, dom.Name)
	}
	if fmt.Sprint(names) != "[a.example b.example]" {
		t.Error(names)
	}
}

// domainSpy counts round trips for rules.
type domainSpy struct {
	metadata.DomainStore
	calls int
}

func (s *domainSpy) LookupDomains(ctx context.Context, names []string) (map[string]metadata.Domain, error) {
	s.calls++
	return s.DomainStore.LookupDomains(ctx, names)
}

// The round trips of a transaction do not grow with its recipients.
func TestResolveAllAsksOncePerLevel(t *testing.T) {
	d, spy, clock := open(t)
	ds := &domainSpy{DomainStore: d.meta}
	d.rules.meta = ds
	setDomain(t, d, metadata.Domain{Name: "alias.example", AliasOf: "example.org"})
	var asked, want []string
	for i := range 200 {
		name := fmt.Sprintf("u%d", i)
		account(t, d, name, "x")
		switch i % 3 {
		case 0:
			asked = append(asked, name+"@example.org")
		case 1:
			asked = append(asked, name+"@alias.example")
		case 2:
			alias(t, d, "l"+name+"@example.org", name+"@example.org")
			asked = append(asked, "L"+name)
		}
		want = append(want, name+"@example.org")
	}
	asked, want = append(asked, "nobody@example.org", "@", "u0+x@example.org"), append(want, "not found", "invalid", "u0@example.org")
	clock.advance(rulesAge)
	for _, rules := range []int{2, 0} { // the second time they are known
		spy.calls, ds.calls = 0, 0
		got := d.ResolveAll(t.Context(), asked)
		for i, r := range got {
			var s string
			if r.Err != nil {
				s = mailerr.KindOf(r.Err).String()
			} else {
				s = r.Targets[0].Account.Address
			}
			if s != want[i] {
				t.Errorf("%s leads to %s, want %s", asked[i], s, want[i])
			}
		}
		if spy.calls != 2 || ds.calls > rules {
			t.Errorf("%d look-ups of addresses and %d of domains", spy.calls, ds.calls)
		}
	}
}

// What another node changes is noticed after a while, what this one changes at once.
func TestRulesAge(t *testing.T) {
	d, _, clock := open(t)
	account(t, d, "anna@a.example", "x")
	if got := leads(t, d, "anna@b.example"); got != "not found" {
		t.Fatal(got)
	}
	if err := d.meta.SetDomain(t.Context(), metadata.Domain{Name: "b.example", AliasOf: "a.example"}); err != nil {
		t.Fatal(err)
	}
	clock.advance(rulesAge)
	if got := leads(t, d, "anna@b.example"); got != "anna@a.example//" {
		t.Error(got)
	}
	setDomain(t, d, metadata.Domain{Name: "b.example"})
	if got := leads(t, d, "anna@b.example"); got != "not found" {
		t.Error(got)
	}
}

func TestRulesAreBounded(t *testing.T) {
	d, _, _ := open(t)
	for i := range 3 {
		names := map[string]bool{}
		for j := range maxRules/2 + 1 {
			names[fmt.Sprintf("d%d-%d.example", i, j)] = true
		}
		if err := d.rules.add(t.Context(), map[string]metadata.Domain{}, names); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.rules.known); n > maxRules {
		t.Errorf("%d rules remembered", n)
	}
}
