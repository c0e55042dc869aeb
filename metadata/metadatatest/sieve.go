package metadatatest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

var noLimits = metadata.ScriptLimits{}

func (f *fixture) put(owner metadata.ScriptOwner, name, source string) {
	f.Helper()
	f.must(f.s.PutScript(f.ctx(), owner, name, source, noLimits))
}

// scriptNames lists an owner's scripts, the active one with an asterisk.
func (f *fixture) scriptNames(owner metadata.ScriptOwner) string {
	f.Helper()
	list, _, err := f.s.Scripts(f.ctx(), owner)
	f.must(err)
	var names []string
	for _, sc := range list {
		if sc.Active {
			sc.Name += "*"
		}
		names = append(names, sc.Name)
	}
	return strings.Join(names, " ")
}

func (f *fixture) wantScripts(owner metadata.ScriptOwner, want string) {
	f.Helper()
	if got := f.scriptNames(owner); got != want {
		f.Fatalf("scripts are %q, want %q", got, want)
	}
}

func testScripts(f *fixture) {
	u := f.user()
	owner := metadata.AccountScripts(u.id)
	f.wantScripts(owner, "")
	source := "# ünïcode\r\nkeep;\r\n"
	f.put(owner, "b", source)
	f.put(owner, "a", "")
	f.put(owner, "ü b", "stop;")
	f.wantScripts(owner, "a b ü b")
	sc, err := f.s.Script(f.ctx(), owner, "b")
	f.must(err)
	if sc.Source != source || sc.Size != int64(len(source)) || sc.Active || sc.Name != "b" {
		f.Fatalf("%+v", sc)
	}
	f.must(f.s.ActivateScript(f.ctx(), owner, "a"))
	f.must(f.s.ActivateScript(f.ctx(), owner, "b"))
	f.wantScripts(owner, "a b* ü b")
	f.put(owner, "b", "discard;") // stays active
	sc, _, err = f.s.ActiveScript(f.ctx(), owner)
	f.must(err)
	if sc == nil || sc.Source != "discard;" || !sc.Active {
		f.Fatalf("%+v", sc)
	}
	f.must(f.s.RenameScript(f.ctx(), owner, "b", "c"))
	f.wantScripts(owner, "a c* ü b")
	f.must(f.s.RenameScript(f.ctx(), owner, "c", "c"))
	f.wantKind(f.s.DeleteScript(f.ctx(), owner, "c"), mailerr.InUse)
	f.must(f.s.DeleteScript(f.ctx(), owner, "a"))
	f.must(f.s.ActivateScript(f.ctx(), owner, ""))
	f.must(f.s.DeleteScript(f.ctx(), owner, "c"))
	f.wantScripts(owner, "ü b")
	if sc, _, err = f.s.ActiveScript(f.ctx(), owner); err != nil || sc != nil {
		f.Fatalf("%+v, %v", sc, err)
	}
	other := f.user()
	f.wantScripts(metadata.AccountScripts(other.id), "")

	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	f.wantScripts(owner, "")
}

func testScriptsRefused(f *fixture) {
	u := f.user()
	owner := metadata.AccountScripts(u.id)
	for _, name := range []string{"", "a\nb", "a\x00", "\x7f", "a\u2028b", "\xff", strings.Repeat("n", 513)} {
		f.wantKind(f.s.PutScript(f.ctx(), owner, name, "keep;", noLimits), mailerr.Invalid)
	}
	for _, source := range []string{"\x00", "\xff"} {
		f.wantKind(f.s.PutScript(f.ctx(), owner, "a", source, noLimits), mailerr.Invalid)
	}
	f.put(owner, strings.Repeat("ä", 128), "keep;")
	f.put(owner, "a", "keep;")
	f.put(owner, "b", "keep;")
	f.wantKind(f.s.RenameScript(f.ctx(), owner, "a", "b"), mailerr.Exists)
	f.wantKind(f.s.RenameScript(f.ctx(), owner, "x", "y"), mailerr.NotFound)
	f.wantKind(f.s.RenameScript(f.ctx(), owner, "a", ""), mailerr.Invalid)
	f.wantKind(f.s.DeleteScript(f.ctx(), owner, "x"), mailerr.NotFound)
	f.wantKind(f.s.ActivateScript(f.ctx(), owner, "x"), mailerr.NotFound)
	_, err := f.s.Script(f.ctx(), owner, "x")
	f.wantKind(err, mailerr.NotFound)
	_, err = f.s.Script(f.ctx(), owner, "\xff\x00")
	f.wantKind(err, mailerr.NotFound)
	nobody := metadata.AccountScripts(metadata.NewAccountID())
	f.wantKind(f.s.PutScript(f.ctx(), nobody, "a", "keep;", noLimits), mailerr.NotFound)
	f.wantKind(f.s.ActivateScript(f.ctx(), nobody, ""), mailerr.NotFound)
	f.wantScripts(nobody, "")
}

func testScriptLimits(f *fixture) {
	owner := metadata.AccountScripts(f.user().id)
	limits := metadata.ScriptLimits{Scripts: 2, ScriptBytes: 10, TotalBytes: 15}
	put := func(name string, size int) error {
		return f.s.PutScript(f.ctx(), owner, name, strings.Repeat("#", size), limits)
	}
	f.wantKind(put("a", 11), mailerr.TooBig)
	f.must(put("a", 10))
	f.wantKind(put("b", 6), mailerr.OverQuota)
	f.must(put("b", 5))
	f.wantKind(put("c", 0), mailerr.Limit)
	f.must(put("a", 9)) // in place of what is there
	f.must(put("b", 6))
	f.wantScripts(owner, "a b")
}

// testScriptStates proves what a delivery relies on: every change raises the version that comes with the look-up of an address.
func testScriptStates(f *fixture) {
	u := f.user()
	owner := metadata.AccountScripts(u.id)
	state := func() metadata.ScriptState {
		f.Helper()
		found, err := f.s.LookupAddresses(f.ctx(), []string{u.address})
		f.must(err)
		got := found[u.address].Account.Scripts
		_, listed, err := f.s.Scripts(f.ctx(), owner)
		f.must(err)
		_, active, err := f.s.ActiveScript(f.ctx(), owner)
		f.must(err)
		if got != listed || got != active {
			f.Fatalf("states %+v, %+v, %+v", got, listed, active)
		}
		return got
	}
	last := state()
	if last != (metadata.ScriptState{}) {
		f.Fatalf("%+v without any script", last)
	}
	for _, step := range []struct {
		active string
		do     func() error
	}{
		{"", func() error { return f.s.PutScript(f.ctx(), owner, "a", "keep;", noLimits) }},
		{"a", func() error { return f.s.ActivateScript(f.ctx(), owner, "a") }},
		{"a", func() error { return f.s.PutScript(f.ctx(), owner, "b", "keep;", noLimits) }}, // "a" may include it
		{"c", func() error { return f.s.RenameScript(f.ctx(), owner, "a", "c") }},
		{"c", func() error { return f.s.DeleteScript(f.ctx(), owner, "b") }},
		{"", func() error { return f.s.ActivateScript(f.ctx(), owner, "") }},
	} {
		f.must(step.do())
		now := state()
		if now.Active != step.active || now.Version <= last.Version {
			f.Fatalf("%+v after %+v, want active %q", now, last, step.active)
		}
		last = now
	}
}

func testScriptErrors(f *fixture) {
	owner := metadata.AccountScripts(f.user().id)
	f.put(owner, "a", "keep;")
	record := func(name, text string, want int64) {
		f.Helper()
		n, err := f.s.RecordScriptError(f.ctx(), owner, name, text)
		f.must(err)
		if n < want || want == 0 && n > 0 { // an ambiguous commit may count twice
			f.Fatalf("%d errors, want %d", n, want)
		}
	}
	record("a", "line 1: bad\nreally", 1)
	record("a", "line 2: \x00\xff"+strings.Repeat("x", 5000), 2)
	record("gone", "x", 0)
	sc, err := f.s.Script(f.ctx(), owner, "a")
	f.must(err)
	if sc.Error.Errors < 2 || !strings.HasPrefix(sc.Error.Text, "line 2: ") || len(sc.Error.Text) > 1000 || time.Since(sc.Error.At).Abs() > time.Hour {
		f.Fatalf("%+v", sc.Error)
	}
	list, before, err := f.s.Scripts(f.ctx(), owner)
	f.must(err)
	if list[0].Error != sc.Error {
		f.Fatalf("%+v, %+v", list[0].Error, sc.Error)
	}
	record("a", "x", 3)
	_, after, err := f.s.Scripts(f.ctx(), owner)
	f.must(err)
	if before != after {
		f.Fatalf("an error is no change of the script: %+v, %+v", before, after)
	}
	f.put(owner, "a", "stop;")
	if sc, err = f.s.Script(f.ctx(), owner, "a"); err != nil || sc.Error.Errors != 0 || sc.Error.Text != "" {
		f.Fatalf("%+v, %v", sc, err)
	}
}

func testAdminScripts(f *fixture) {
	domain := "d" + metadata.NewAccountID().String() + ".example"
	before, after := metadata.AdminScripts(metadata.ScriptsBefore, domain), metadata.AdminScripts(metadata.ScriptsAfter, domain)
	if _, ok := before.Account(); ok {
		f.Fatal("an administrator's owner is an account")
	}
	f.put(before, "spam", "keep;")
	f.must(f.s.ActivateScript(f.ctx(), before, "spam"))
	states, err := f.s.AdminScriptStates(f.ctx())
	f.must(err)
	if st := states[before]; st.Active != "spam" || st.Version == 0 {
		f.Fatalf("%+v", states)
	}
	if _, ok := states[after]; ok {
		f.Fatal("scripts after")
	}
	for owner := range states {
		if _, ok := owner.Account(); ok {
			f.Fatal("an account among them")
		}
	}
}

func testHandles(f *fixture) {
	u, other := f.user(), f.user()
	h := metadata.Handle(metadata.NewAccountID())
	claim := func(u user, h metadata.Handle, who string, ttl time.Duration, want bool) {
		f.Helper()
		first, err := f.s.ClaimHandle(f.ctx(), u.id, h, who, ttl)
		f.must(err)
		if first != want {
			f.Fatalf("first is %v for %s", first, who)
		}
	}
	claim(u, h, "m1", time.Hour, true)
	claim(u, h, "m2", time.Hour, false)
	claim(u, h, "m1", time.Hour, true) // tried again
	claim(other, h, "m2", time.Hour, true)
	f.must(f.s.SettleHandles(f.ctx(), u.id, []metadata.HandleUse{{Handle: h, TTL: time.Hour}}))
	claim(u, h, "m1", time.Hour, false)
	f.must(f.s.SettleHandles(f.ctx(), u.id, []metadata.HandleUse{{Handle: h, TTL: -time.Second}}))
	claim(u, h, "m3", -time.Second, true) // over at once
	claim(u, h, "m4", time.Hour, true)
	f.must(f.s.SettleHandles(f.ctx(), u.id, nil))
	_, err := f.s.ClaimHandle(f.ctx(), u.id, h, "", time.Hour)
	f.wantKind(err, mailerr.Invalid)

	for i := range 20 {
		claim(u, metadata.Handle{byte(i), 1}, "m", -time.Second, true)
	}
	for removed := 0; ; { // others' too
		n, err := f.s.ExpireHandles(f.ctx(), 8)
		f.must(err)
		if removed += n; n == 0 {
			if removed < 10 { // a commit whose answer was lost is not counted
				f.Fatalf("only %d were removed", removed)
			}
			break
		}
	}
	claim(u, h, "m5", time.Hour, false) // not removed
	_, err = f.s.ExpireHandles(f.ctx(), 0)
	f.wantKind(err, mailerr.Invalid)
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	claim(u, h, "m6", time.Hour, true)
}

func testConcurrentHandles(f *fixture) {
	u := f.user()
	for round := range 20 {
		h := metadata.Handle{byte(round)}
		var mu sync.Mutex
		var wg sync.WaitGroup
		firsts := 0
		for i := range 8 {
			wg.Go(func() {
				first, err := f.s.ClaimHandle(f.ctx(), u.id, h, fmt.Sprint("m", i), time.Hour)
				if err != nil {
					f.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if first {
					firsts++
				}
			})
		}
		wg.Wait()
		if firsts != 1 {
			f.Fatalf("%d were first", firsts)
		}
	}
}
