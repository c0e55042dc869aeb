package metadatatest

import (
	"strings"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testDomains(f *fixture) {
	prefix := metadata.NewAccountID().String()
	a := metadata.Domain{Name: prefix + "a.example"}
	b := metadata.Domain{Name: prefix + "b.exämple", AliasOf: a.Name, CatchAll: "anna@" + a.Name, Delimiter: "-", KeepCase: true, DetailMailbox: metadata.On}
	f.must(f.s.SetDomain(f.ctx(), a))
	f.must(f.s.SetDomain(f.ctx(), b))
	found, err := f.s.LookupDomains(f.ctx(), []string{a.Name, "elsewhere.example", b.Name, a.Name, "\x00", strings.Repeat("x", 5000)})
	f.must(err)
	if len(found) != 2 || found[a.Name] != a || found[b.Name] != b {
		f.Fatalf("found %+v", found)
	}
	page, err := f.s.Domains(f.ctx(), prefix, 1)
	f.must(err)
	if len(page) != 1 || page[0] != a {
		f.Fatalf("page %+v", page)
	}
	page, err = f.s.Domains(f.ctx(), a.Name, 1)
	f.must(err)
	if len(page) != 1 || page[0] != b {
		f.Fatalf("page %+v", page)
	}

	b = metadata.Domain{Name: b.Name, Delimiter: metadata.NoDelimiter, DetailMailbox: metadata.Off}
	f.must(f.s.SetDomain(f.ctx(), b))
	found, err = f.s.LookupDomains(f.ctx(), []string{b.Name})
	f.must(err)
	if found[b.Name] != b {
		f.Fatalf("found %+v", found)
	}

	f.must(f.s.RemoveDomain(f.ctx(), b.Name))
	f.wantKind(f.s.RemoveDomain(f.ctx(), b.Name), mailerr.NotFound)
	f.wantKind(f.s.RemoveDomain(f.ctx(), "\xff"), mailerr.NotFound)
	f.wantKind(f.s.SetDomain(f.ctx(), metadata.Domain{}), mailerr.Invalid)
	f.wantKind(f.s.SetDomain(f.ctx(), metadata.Domain{Name: "x.example", CatchAll: "a\nb"}), mailerr.Invalid)
	found, err = f.s.LookupDomains(f.ctx(), []string{b.Name})
	f.must(err)
	if found == nil || len(found) != 0 {
		f.Fatalf("found %+v", found)
	}
}

func testDetailMailboxes(f *fixture) {
	one, two, three := f.user(), f.user(), f.user()
	ids := []metadata.AccountID{one.id, two.id, three.id}
	f.must(f.s.SetDetailMailbox(f.ctx(), one.id, metadata.Off))
	f.must(f.s.SetDetailMailbox(f.ctx(), one.id, metadata.On))
	f.must(f.s.SetDetailMailbox(f.ctx(), two.id, metadata.Off))
	f.must(f.s.SetDetailMailbox(f.ctx(), three.id, metadata.On))
	f.must(f.s.SetDetailMailbox(f.ctx(), three.id, metadata.Inherit))
	f.wantKind(f.s.SetDetailMailbox(f.ctx(), metadata.NewAccountID(), metadata.On), mailerr.NotFound)
	found, err := f.s.DetailMailboxes(f.ctx(), ids)
	f.must(err)
	if len(found) != 2 || found[one.id] != metadata.On || found[two.id] != metadata.Off {
		f.Fatalf("found %v", found)
	}
	f.must(f.s.RemoveAccount(f.ctx(), one.id))
	found, err = f.s.DetailMailboxes(f.ctx(), ids)
	f.must(err)
	if len(found) != 1 {
		f.Fatalf("found %v", found)
	}
}
