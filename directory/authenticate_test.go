package directory

import (
	"errors"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
)

func TestAuthenticate(t *testing.T) {
	d, _, _ := open(t)
	ctx := t.Context()
	id := account(t, d, "alice", "secret")
	account(t, d, "bob@other.org", "hidden")
	accountWithHash(t, d, "nopassword", "")
	accountWithHash(t, d, "broken", "{NOSUCH}secret")
	alias(t, d, "info@example.org", "alice@example.org")
	for _, tc := range []struct {
		login, password string
		ok              bool
	}{
		{"alice", "secret", true}, {"ALICE@example.org", "secret", true}, {"bob@other.org", "hidden", true},
		{"alice", "Secret", false}, {"alice", "", false}, {"alice", "hidden", false}, {"bob", "hidden", false}, {"nobody", "secret", false},
		{"alice+x", "secret", false}, {"info", "secret", false}, {"nopassword", "", false}, {"broken", "secret", false},
		{"", "", false}, {"@", "x", false}, {"alice\x00", "secret", false}, {"alice", strings.Repeat("x", 1<<20), false},
	} {
		a, err := d.Authenticate(ctx, tc.login, tc.password)
		switch {
		case tc.ok && err != nil:
			t.Errorf("%q %q: %v", tc.login, tc.password, err)
		case tc.ok && a.PasswordHash != "":
			t.Errorf("%q: the hash is handed out", tc.login)
		case !tc.ok && !mailerr.Is(err, mailerr.Permission):
			t.Errorf("%q %.20q: %v, %v", tc.login, tc.password, a, err)
		case !tc.ok && mailerr.ClientText(err) != "wrong name or password":
			t.Errorf("%q: the text tells more: %q", tc.login, mailerr.ClientText(err))
		}
	}
	if a, err := d.Authenticate(ctx, "alice", "secret"); err != nil || a.ID != id {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestLoginUpgradesTheHash(t *testing.T) {
	d, spy, _ := open(t)
	ctx := t.Context()
	id := account(t, d, "alice", "secret")
	if _, err := d.Authenticate(ctx, "alice", "wrong"); err == nil || spy.sets != 0 {
		t.Fatalf("a wrong password: %v, %d changes", err, spy.sets)
	}
	if _, err := d.Authenticate(ctx, "alice", "secret"); err != nil {
		t.Fatal(err)
	}
	a, err := spy.Store.Account(ctx, id)
	if err != nil || !strings.HasPrefix(a.PasswordHash, currentForm) {
		t.Fatalf("%+v, %v", a, err)
	}
	for range 3 {
		if _, err := d.Authenticate(ctx, "alice", "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if spy.sets != 1 {
		t.Errorf("%d changes, want 1", spy.sets)
	}
	if _, err := d.Authenticate(ctx, "alice", "wrong"); !mailerr.Is(err, mailerr.Permission) {
		t.Errorf("%v", err)
	}
}

// A password changed while a login upgrades the hash of the old one must stay.
func TestUpgradeNeverBringsAnOldPasswordBack(t *testing.T) {
	d, spy, _ := open(t)
	ctx := t.Context()
	id := account(t, d, "alice", "old")
	done := false
	spy.onRead = func() { // the upgrade looks again, and between there was a change
		if !done {
			done = true
			if err := spy.Store.SetPasswordHash(ctx, id, "{PLAIN}new"); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := d.Authenticate(ctx, "alice", "old"); err != nil {
		t.Fatal(err) // it was right when it was looked at
	}
	spy.onRead = nil
	if _, err := d.Authenticate(ctx, "alice", "old"); !mailerr.Is(err, mailerr.Permission) {
		t.Errorf("the old password came back: %v", err)
	}
	if _, err := d.Authenticate(ctx, "alice", "new"); err != nil {
		t.Errorf("the new password is lost: %v", err)
	}
}

// While somebody sets a password, an upgrade gives way at once and a second change waits.
func TestPasswordChangesExcludeEachOther(t *testing.T) {
	d, spy, _ := open(t)
	ctx := t.Context()
	id := account(t, d, "alice", "old")
	inside, goOn := make(chan struct{}), make(chan struct{})
	first := true
	spy.onSet = func() {
		if first {
			first = false
			close(inside)
			<-goOn
		}
	}
	errs := make(chan error, 2)
	go func() { errs <- d.SetPassword(ctx, "alice", "one") }()
	<-inside
	if got := d.upgrade(ctx, mustAccount(t, d, "alice"), "old"); got != "" {
		t.Errorf("upgraded to %s beside a change", got)
	}
	go func() { errs <- d.SetPassword(ctx, "alice", "two") }()
	close(goOn)
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Authenticate(ctx, "alice", "two"); err != nil {
		t.Errorf("the later change is lost: %v", err)
	}
	_ = id
}

func TestRememberedLogins(t *testing.T) {
	d, spy, clock := open(t)
	ctx := t.Context()
	hash, err := d.hashes.hash(ctx, Single, "secret")
	if err != nil {
		t.Fatal(err)
	}
	id := accountWithHash(t, d, "alice", hash)
	login := func(want bool) {
		t.Helper()
		if _, err := d.Authenticate(ctx, "alice", "secret"); (err == nil) != want {
			t.Errorf("login: %v", err)
		}
	}
	login(true)
	// With no slot for hashing, only a remembered login gets through.
	for range cap(d.hashes.slots) {
		d.hashes.slots <- struct{}{}
	}
	spy.calls = 0
	login(true)
	if spy.calls != 1 {
		t.Errorf("the account's row was read %d times", spy.calls)
	}
	for range cap(d.hashes.slots) {
		<-d.hashes.slots
	}
	clock.advance(loginCacheTime)
	if d.logins.holds(d.logins.key("alice", "secret"), hash) {
		t.Error("remembered for too long")
	}
	login(true)
	if err := spy.Store.SetPasswordHash(ctx, id, "{PLAIN}other"); err != nil { // on another node
		t.Fatal(err)
	}
	login(false)
	if err := d.RemoveAccount(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	login(false)
}

func TestAuthenticateWhileTheDatabaseIsAway(t *testing.T) {
	d, spy, _ := open(t)
	account(t, d, "alice", "secret")
	spy.fail = mailerr.Wrap("test", mailerr.Unavailable, errors.New("gone"))
	if _, err := d.Authenticate(t.Context(), "alice", "secret"); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("%v", err)
	}
}
