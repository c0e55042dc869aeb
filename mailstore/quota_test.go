package mailstore_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// deliverTo delivers one message and returns what became of it.
func (c *cluster) deliverTo(s *mailstore.Store, account metadata.AccountID) error {
	c.t.Helper()
	return s.Deliver(c.ctx, c.stage(s, mail("x")), []mailstore.Recipient{{Account: account}})[0].Err
}

func TestDeliveryHasGrace(t *testing.T) {
	c := newCluster(t)
	s := c.node(func(cfg *mailstore.Config) { cfg.QuotaGrace = 20 })
	u := c.account("Box")
	if err := c.meta.SetQuota(c.ctx, u, 0, 5); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		if err := c.deliverTo(s, u); (err == nil) != (i < 6) || err != nil && !mailerr.Is(err, mailerr.OverQuota) {
			t.Errorf("delivery %d: %v", i, err)
		}
	}
	user := s.User(u)
	if _, err := user.Append(c.ctx, "Box", c.stage(s, mail("x")), mailstore.AppendOptions{}); !mailerr.Is(err, mailerr.OverQuota) {
		t.Errorf("APPEND has grace: %v", err)
	}
	if err := user.Room(c.ctx, "Box", 1); !mailerr.Is(err, mailerr.OverQuota) {
		t.Errorf("Room: %v", err)
	}
	sel := c.open(user, "INBOX")
	if _, err := sel.Copy(c.ctx, metadata.UIDSet{{First: 1, Last: 1}}, "Box"); !mailerr.Is(err, mailerr.OverQuota) {
		t.Errorf("COPY has grace: %v", err)
	}
	if _, err := sel.Move(c.ctx, metadata.UIDSet{{First: 1, Last: 1}}, "Box"); err != nil {
		t.Errorf("a MOVE adds nothing: %v", err)
	}
}

// TestCopyCountsTowardOwner: what a guest puts into another's mailbox is counted there, and refused there.
func TestCopyCountsTowardOwner(t *testing.T) {
	n := newNeighbours(t)
	s := n.node(nil)
	n.give(s, "Box", n.guest, metadata.AllRights)
	guest := s.User(n.guest)
	for range 3 {
		n.append(guest, s, "Mine", mail("x"))
	}
	if err := n.meta.SetQuota(n.ctx, n.owner, 0, 2); err != nil {
		t.Fatal(err)
	}
	sel := n.open(guest, "Mine")
	for i := range 3 {
		uid := metadata.UID(i + 1)
		_, err := sel.Move(n.ctx, metadata.UIDSet{{First: uid, Last: uid}}, n.foreign("Box"))
		if (err == nil) != (i < 2) || err != nil && !mailerr.Is(err, mailerr.OverQuota) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	own, err := guest.Quota(n.ctx)
	if err != nil || own.Messages != 1 || own.Root != addressOf(n.guest) || own.Mailboxes != 2 {
		t.Errorf("the guest has %+v, %v", own, err)
	}
	there, err := guest.QuotaOf(n.ctx, n.foreign("Box"))
	if err != nil || there.Messages != 2 || there.Root != addressOf(n.owner) {
		t.Errorf("the owner has %+v, %v", there, err)
	}
	if _, err := guest.QuotaOf(n.ctx, n.foreign("Secret")); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("the quota of what may not be read: %v", err)
	}
}

// waitFor waits until ok says so.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("timed out: " + what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// warnings returns the subjects of the warnings in an INBOX.
func (c *cluster) warnings(s *mailstore.Store, account metadata.AccountID) []string {
	c.t.Helper()
	sel, err := s.User(account).Open(c.ctx, "INBOX", mailstore.ReadOnly)
	if err != nil {
		c.t.Fatal(err)
	}
	defer sel.Close()
	var ids []metadata.BodyID
	err = sel.Messages(c.ctx, metadata.UIDSet{{First: 1, Last: 1 << 31}}, func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool {
		ids = append(ids, m.Body)
		return true
	})
	if err != nil {
		c.t.Fatal(err)
	}
	bodies, err := sel.Bodies(c.ctx, ids)
	if err != nil {
		c.t.Fatal(err)
	}
	var subjects []string
	for _, id := range ids {
		r := sel.OpenBody(bodies[id])
		text := make([]byte, r.Size())
		if _, err := r.ReadAt(context.Background(), text, 0); err != nil && err != io.EOF { //nolint:errorlint // never wrapped
			c.t.Fatal(err)
		}
		if _, rest, ok := strings.Cut(string(text), "\r\nSubject: Your mailbox"); ok {
			subject, _, _ := strings.Cut(rest, "\r\n")
			subjects = append(subjects, strings.TrimSpace(subject))
		}
	}
	return subjects
}

// TestWarningOnceEachCrossing delivers on two nodes at once: each level is warned of once.
func TestWarningOnceEachCrossing(t *testing.T) {
	c := newCluster(t)
	levels := func(cfg *mailstore.Config) { cfg.QuotaWarnings = []int64{50, 80} }
	nodes := []*mailstore.Store{c.node(levels), c.node(levels)}
	u := c.account()
	if err := c.meta.SetQuota(c.ctx, u, 0, 20); err != nil {
		t.Fatal(err)
	}
	deliver := func(count int) {
		var wg sync.WaitGroup
		for i := range count {
			wg.Go(func() {
				if err := c.deliverTo(nodes[i%2], u); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	deliver(9)
	if w := c.warnings(nodes[0], u); len(w) != 0 {
		t.Fatalf("warnings %q", w)
	}
	deliver(1)
	waitFor(t, "the first warning", func() bool { return len(c.warnings(nodes[0], u)) == 1 })
	deliver(5)
	waitFor(t, "the second warning", func() bool { return len(c.warnings(nodes[1], u)) == 2 })
	if w := fmt.Sprint(c.warnings(nodes[0], u)); w != "[is 50% full is 80% full]" {
		t.Errorf("warnings %s", w)
	}
	a, err := c.meta.Account(c.ctx, u)
	if err != nil || a.UsedMessages != 17 {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestDomainLimit: what is for a domain that is full is refused some time after, on every node, and taken some time after
// there is room.
func TestDomainLimit(t *testing.T) {
	c := newCluster(t)
	often := func(cfg *mailstore.Config) { cfg.QuotaInterval = 10 * time.Millisecond }
	nodes := []*mailstore.Store{c.node(often), c.node(often)}
	u, other := c.account("Box"), c.account()
	outside := metadata.NewAccountID()
	_, err := c.meta.CreateAccounts(c.ctx, []metadata.NewAccount{{ID: outside, Address: "x@example.net", Mailboxes: []metadata.NewMailbox{
		{ID: metadata.NewMailboxID(), Name: "INBOX"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.meta.SetDomainQuota(c.ctx, "example.org", 0, 3); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := c.deliverTo(nodes[i%2], u); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range nodes {
		waitFor(t, "the domain to be full", func() bool {
			// Another account's mail shows it without the slack of this one's.
			return mailerr.Is(s.User(other).Room(c.ctx, "INBOX", 1), mailerr.OverQuota)
		})
		if err := c.deliverTo(s, other); !mailerr.Is(err, mailerr.OverQuota) {
			t.Errorf("a delivery: %v", err)
		}
		if _, err := s.User(u).Append(c.ctx, "Box", c.stage(s, mail("x")), mailstore.AppendOptions{}); !mailerr.Is(err, mailerr.OverQuota) {
			t.Errorf("APPEND: %v", err)
		}
		sel := c.open(s.User(u), "INBOX")
		if _, err := sel.Copy(c.ctx, metadata.UIDSet{{First: 1, Last: 1}}, "Box"); !mailerr.Is(err, mailerr.OverQuota) {
			t.Errorf("COPY: %v", err)
		}
		if err := c.deliverTo(s, outside); err != nil {
			t.Errorf("another domain: %v", err)
		}
	}
	sel := c.open(nodes[0].User(u), "INBOX")
	if _, err := sel.Move(c.ctx, metadata.UIDSet{{First: 1, Last: 1}}, "Box"); err != nil {
		t.Errorf("MOVE: %v", err)
	}
	if _, err := sel.ExpungeAll(c.ctx, metadata.UIDSet{{First: 2, Last: 3}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range nodes {
		waitFor(t, "room in the domain", func() bool { return s.User(other).Room(c.ctx, "INBOX", 1) == nil })
	}
}
