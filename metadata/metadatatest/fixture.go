package metadatatest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// fixture is a test with its Store.
type fixture struct {
	TB
	s metadata.Store
}

// TB is what the suite needs of a test: a *testing.T or a *rapid.T.
type TB interface {
	Context() context.Context
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// at is the date of everything here, to the microsecond.
var at = time.Date(2026, 11, 23, 15, 30, 0, 123456000, time.UTC)

func (f *fixture) ctx() context.Context { return f.Context() }

// must fails the test when err is not nil.
func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// wantKind fails the test when err is not of the kind.
func (f *fixture) wantKind(err error, kind mailerr.Kind) {
	f.Helper()
	if !mailerr.Is(err, kind) {
		f.Fatalf("got error %v, want one of kind %q", err, kind)
	}
}

// user is an account with its INBOX and a second mailbox.
type user struct {
	id      metadata.AccountID
	address string
	inbox   metadata.MailboxID
	trash   metadata.MailboxID
}

func newUser() (user, metadata.NewAccount) {
	u := user{id: metadata.NewAccountID(), inbox: metadata.NewMailboxID(), trash: metadata.NewMailboxID()}
	u.address = "u" + u.id.String() + "@example.org"
	return u, metadata.NewAccount{ID: u.id, Address: u.address, PasswordHash: "{TEST}" + u.id.String(), Mailboxes: []metadata.NewMailbox{
		{ID: u.inbox, Name: "INBOX", Subscribed: true},
		{ID: u.trash, Name: "Trash", SpecialUse: "\\Trash"},
	}}
}

func (f *fixture) user() user {
	f.Helper()
	u, a := newUser()
	errs, err := f.s.CreateAccounts(f.ctx(), []metadata.NewAccount{a})
	f.must(err)
	f.must(errs[0])
	return u
}

// item returns a message of 1000 bytes and a prefix for a mailbox.
func item(u user, box metadata.MailboxID) metadata.AppendItem {
	id := metadata.NewBodyID(at)
	hash := sha256.Sum256(id[:])
	return metadata.AppendItem{
		Account: u.id, Mailbox: box,
		Body: metadata.Body{
			Account: u.id, ID: id, Pack: metadata.NewPackID(at), Offset: 10, Length: 500, Frames: []byte{1, 2, 0, 3},
			Stored: 1000, Prefix: []byte("Return-Path: <x@example.org>\r\n"), Hash: hash[:], Summary: []byte("summary\x00of " + id.String()),
		},
		InternalDate: at, SaveDate: at.Add(time.Second),
	}
}

func (f *fixture) append(items ...metadata.AppendItem) []metadata.AppendResult {
	f.Helper()
	res, err := f.s.Append(f.ctx(), batch(items...))
	f.must(err)
	if len(res) != len(items) {
		f.Fatalf("%d results for %d items", len(res), len(items))
	}
	return res
}

func batch(items ...metadata.AppendItem) metadata.AppendBatch {
	b := metadata.AppendBatch{Items: items}
	seen := map[metadata.PackID]bool{}
	for i := range items {
		if p := items[i].Body.Pack; !seen[p] {
			seen[p] = true
			b.Packs = append(b.Packs, metadata.Pack{ID: p, Size: 4096, Bodies: 1, Created: at})
		}
	}
	return b
}

// fill appends n messages to a mailbox.
func (f *fixture) fill(u user, box metadata.MailboxID, n int, change func(i int, it *metadata.AppendItem)) []metadata.AppendResult {
	f.Helper()
	items := make([]metadata.AppendItem, n)
	for i := range items {
		items[i] = item(u, box)
		items[i].Body.Pack = items[0].Body.Pack
		if change != nil {
			change(i, &items[i])
		}
	}
	res := f.append(items...)
	for i := range res {
		f.must(res[i].Err)
	}
	return res
}

func (f *fixture) load(box metadata.MailboxID) (*metadata.Mailbox, []metadata.Message) {
	f.Helper()
	m, msgs, err := f.s.LoadMailbox(f.ctx(), box)
	f.must(err)
	return m, msgs
}

func (f *fixture) store(u user, box metadata.MailboxID, op metadata.FlagOp, uids metadata.UIDSet, flags metadata.Flags, keywords ...string) *metadata.StoreResult {
	f.Helper()
	res, err := f.s.StoreFlags(f.ctx(), metadata.StoreFlags{Account: u.id, Mailbox: box, UIDs: uids, Op: op, Flags: flags, Keywords: keywords})
	f.must(err)
	return res
}

func uidsOf(msgs []metadata.Message) metadata.UIDSet {
	uids := make([]metadata.UID, len(msgs))
	for i := range msgs {
		uids[i] = msgs[i].UID
	}
	return metadata.UIDSetOf(uids...)
}

func set(ranges ...metadata.UID) metadata.UIDSet {
	var s metadata.UIDSet
	for i := 0; i < len(ranges); i += 2 {
		s = append(s, metadata.UIDRange{First: ranges[i], Last: ranges[i+1]})
	}
	return s
}

func (f *fixture) wantUIDs(what string, got, want metadata.UIDSet) {
	f.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !slices.Equal(got, want) {
		f.Fatalf("%s: UIDs %v, want %v", what, got, want)
	}
}

// text is a message's row without its dates, for comparison by eye.
func text(m metadata.Message) string {
	return fmt.Sprintf("uid %d flags %d keywords %q modseq %d size %d body %v", m.UID, m.Flags, m.Keywords, m.ModSeq, m.Size, m.Body)
}
