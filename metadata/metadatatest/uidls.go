package metadatatest

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testUIDLs(f *fixture) {
	u, other := f.user(), f.user()
	want := func(account metadata.AccountID, want map[metadata.BodyID]string) {
		f.Helper()
		got, err := f.s.UIDLs(f.ctx(), account)
		f.must(err)
		have := make(map[metadata.BodyID]string)
		for _, x := range got {
			have[x.Body] = x.Unique
		}
		if len(got) != len(want) || !maps.Equal(have, want) {
			f.Errorf("unique-ids %v, want %v", have, want)
		}
	}
	put := func(account metadata.AccountID, uidls []metadata.UIDL, kinds ...mailerr.Kind) {
		f.Helper()
		errs, err := f.s.ImportUIDLs(f.ctx(), account, uidls)
		f.must(err)
		if len(errs) != len(uidls) {
			f.Fatalf("%d errors for %d unique-ids", len(errs), len(uidls))
		}
		for i, err := range errs {
			if len(kinds) == 0 {
				f.must(err)
			} else if kinds[i] == mailerr.Internal { // stands for none
				f.must(err)
			} else {
				f.wantKind(err, kinds[i])
			}
		}
	}
	const ok = mailerr.Internal
	a, b, c := metadata.NewBodyID(time.Now()), metadata.NewBodyID(time.Now()), metadata.NewBodyID(time.Now())
	want(u.id, nil)
	put(u.id, nil)
	put(u.id, []metadata.UIDL{{Body: a, Unique: "one"}, {Body: b, Unique: "!~"}})
	want(u.id, map[metadata.BodyID]string{a: "one", b: "!~"})
	want(other.id, nil)
	put(u.id, []metadata.UIDL{{Body: a, Unique: "one"}, {Body: b, Unique: "other"}, {Body: c, Unique: "one"}, {Body: c, Unique: ""}, {Body: c, Unique: "a b"}, {Body: c, Unique: "\x7f"}, {Body: c, Unique: strings.Repeat("x", 71)}, {Body: c, Unique: "ONE"}},
		ok, mailerr.Exists, mailerr.Exists, mailerr.Invalid, mailerr.Invalid, mailerr.Invalid, mailerr.Invalid, ok)
	want(u.id, map[metadata.BodyID]string{a: "one", b: "!~", c: "ONE"})
	put(other.id, []metadata.UIDL{{Body: a, Unique: "one"}}) // accounts do not meet
	_, err := f.s.ImportUIDLs(f.ctx(), metadata.NewAccountID(), []metadata.UIDL{{Body: a, Unique: "one"}})
	f.wantKind(err, mailerr.NotFound)

	f.must(f.s.ForgetUIDLs(f.ctx(), u.id))
	f.must(f.s.ForgetUIDLs(f.ctx(), u.id))
	want(u.id, nil)
	want(other.id, map[metadata.BodyID]string{a: "one"})
	many, all := make([]metadata.UIDL, 1000), make(map[metadata.BodyID]string)
	for i := range many {
		many[i] = metadata.UIDL{Body: metadata.NewBodyID(time.Now()), Unique: fmt.Sprint("UID", i, "-1", strings.Repeat("z", i%60))}
		all[many[i].Body] = many[i].Unique
	}
	put(u.id, many)
	put(u.id, many)
	want(u.id, all)
	f.must(f.s.RemoveAccount(f.ctx(), u.id))
	want(u.id, nil)
	want(other.id, map[metadata.BodyID]string{a: "one"})
}
