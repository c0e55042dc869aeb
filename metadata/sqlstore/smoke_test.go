package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

func TestSmoke(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		ctx := context.Background()
		s := open(t, sqlstore.Options{URL: url})
		acc := metadata.NewAccountID()
		box := metadata.NewMailboxID()
		errs, err := s.CreateAccounts(ctx, []metadata.NewAccount{{ID: acc, Address: "a@b", Mailboxes: []metadata.NewMailbox{{ID: box, Name: "INBOX", Subscribed: true}}}})
		t.Log(errs, err)
		item := metadata.AppendItem{Account: acc, Mailbox: box, Body: metadata.Body{Account: acc, ID: metadata.NewBodyID(time.Now()), Stored: 10}, InternalDate: time.Now(), SaveDate: time.Now()}
		b := metadata.AppendBatch{Packs: []metadata.Pack{{ID: metadata.NewPackID(time.Now())}}, Items: []metadata.AppendItem{item, item}}
		t.Log(s.Append(ctx, b))
		t.Log(s.Append(ctx, b))
		t.Log(s.LoadMailbox(ctx, box))
		t.Log(s.StoreFlags(ctx, metadata.StoreFlags{Account: acc, Mailbox: box, Op: metadata.FlagsAdd, Flags: metadata.FlagDeleted, Keywords: []string{"x", "A"}}))
		t.Log(s.Copy(ctx, metadata.CopyRequest{Account: acc, Source: box, DestAccount: acc, Dest: box, SaveDate: time.Now()}))
		t.Log(s.Move(ctx, metadata.CopyRequest{Account: acc, Source: box, DestAccount: acc, Dest: box, SaveDate: time.Now()}))
		t.Log(s.Expunge(ctx, metadata.ExpungeRequest{Account: acc, Mailbox: box, OnlyDeleted: true}))
		t.Log(s.ChangesSince(ctx, box, 0))
		t.Log(s.Account(ctx, acc))
		t.Log(s.SchemaVersion(ctx))
		t.Log(s.AcquireLease(ctx, "x", "me", time.Second), s.AcquireLease(ctx, "x", "you", time.Second), s.RenewLease(ctx, "x", "me", time.Second), s.ReleaseLease(ctx, "x", "me"))
		t.Log(s.RenameMailboxes(ctx, acc, []metadata.Rename{{ID: box, From: "INBOX", To: "x"}}))
		t.Log(s.DeleteMailbox(ctx, acc, box))
		t.Log(s.SetAlias(ctx, metadata.Alias{Address: "x@y", Targets: []string{"a@b"}}), s.SetAlias(ctx, metadata.Alias{Address: "a@b", Targets: []string{"a@b"}}))
		t.Log(s.LookupAddresses(ctx, []string{"x@y", "a@b", "none"}))
		t.Log(s.Aliases(ctx, "", 10))
		t.Log(s.Accounts(ctx, "", 10))
		t.Log(s.RemoveAccount(ctx, acc))
	})
}
