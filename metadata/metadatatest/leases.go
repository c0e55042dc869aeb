package metadatatest

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

func testLeases(f *fixture) {
	name := "pop3/" + metadata.NewAccountID().String()
	f.must(f.s.AcquireLease(f.ctx(), name, "a", time.Hour))
	f.must(f.s.AcquireLease(f.ctx(), name, "a", time.Hour))
	f.wantKind(f.s.AcquireLease(f.ctx(), name, "b", time.Hour), mailerr.InUse)
	f.wantKind(f.s.RenewLease(f.ctx(), name, "b", time.Hour), mailerr.InUse)
	f.must(f.s.RenewLease(f.ctx(), name, "a", time.Hour))
	f.must(f.s.ReleaseLease(f.ctx(), name, "b")) // nothing happens
	f.wantKind(f.s.AcquireLease(f.ctx(), name, "b", time.Hour), mailerr.InUse)
	f.must(f.s.ReleaseLease(f.ctx(), name, "a"))
	f.must(f.s.AcquireLease(f.ctx(), name, "b", time.Hour))
	f.wantKind(f.s.RenewLease(f.ctx(), name, "a", time.Hour), mailerr.InUse)
}

func testLeaseRunsOut(f *fixture) {
	name := "pop3/" + metadata.NewAccountID().String()
	f.must(f.s.AcquireLease(f.ctx(), name, "a", -time.Second)) // over at once
	f.must(f.s.RenewLease(f.ctx(), name, "a", -time.Second))   // nobody took it
	f.must(f.s.AcquireLease(f.ctx(), name, "b", time.Hour))
	f.wantKind(f.s.RenewLease(f.ctx(), name, "a", time.Hour), mailerr.InUse)
	f.wantKind(f.s.AcquireLease(f.ctx(), name, "a", time.Hour), mailerr.InUse)
}

func testCancelledContext(f *fixture) {
	u := f.user()
	ctx, cancel := context.WithCancel(f.ctx())
	cancel()
	_, err := f.s.Append(ctx, batch(item(u, u.inbox)))
	f.wantKind(err, mailerr.Unavailable)
	_, _, err = f.s.LoadMailbox(ctx, u.inbox)
	f.wantKind(err, mailerr.Unavailable)
	f.wantKind(f.s.AcquireLease(ctx, "x", "y", time.Second), mailerr.Unavailable)
	if text := mailerr.ClientText(err); text != mailerr.Unavailable.String() {
		f.Fatalf("client text %q", text)
	}
	f.must(f.append(item(u, u.inbox))[0].Err)
	Check(f.ctx(), f, f.s, u.id)
}
