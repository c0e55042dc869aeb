package mailstore_test

import (
	"testing"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// BenchmarkResync is SELECT with QRESYNC of a client that missed 100 changes, half of them expunges, in a mailbox of 100,000
// messages that this node has in memory.
func BenchmarkResync(b *testing.B) {
	const n = 100_000
	c := newCluster(b)
	s := c.node(nil)
	account := c.account()
	box, err := c.meta.Mailbox(c.ctx, account, "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	for range n / 5000 {
		items := make([]metadata.AppendItem, 5000)
		for i := range items {
			items[i] = metadata.AppendItem{Account: account, Mailbox: box.ID, InternalDate: box.Created, SaveDate: box.Created,
				Body: metadata.Body{Account: account, ID: metadata.NewBodyID(box.Created), Stored: 1000}}
		}
		if _, err := c.meta.Append(c.ctx, metadata.AppendBatch{Items: items}); err != nil {
			b.Fatal(err)
		}
	}
	u := s.User(account)
	open := c.open(u, "INBOX")
	defer open.Close()
	since := open.Mailbox().HighestModSeq
	for i := range metadata.UID(50) {
		if _, err := open.ExpungeAll(c.ctx, metadata.UIDSetOf(1+i*1999)); err != nil {
			b.Fatal(err)
		}
		_, err := open.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: metadata.UIDSetOf(1000 + i*1999), Op: metadata.FlagsAdd, Flags: metadata.FlagSeen})
		if err != nil {
			b.Fatal(err)
		}
	}
	c.sync(open, mailstore.SyncOptions{Fresh: true})
	known := metadata.UIDSet{{First: 1, Last: n}}
	b.ReportAllocs()
	for b.Loop() {
		sel := c.open(u, "INBOX")
		gone, err := sel.Vanished(c.ctx, mailstore.VanishedRequest{Since: since, UIDs: known})
		if err != nil {
			b.Fatal(err)
		}
		changed := 0
		err = sel.MessagesSince(c.ctx, known, since, func(mailstore.SeqNum, *metadata.Message, bool) bool { changed++; return true })
		if err != nil || gone.Len() != 50 || changed != 50 {
			b.Fatalf("%d vanished, %d changed, %v", gone.Len(), changed, err)
		}
		sel.Close()
	}
}
