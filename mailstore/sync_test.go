package mailstore_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

var (
	fresh     = mailstore.SyncOptions{Fresh: true}
	noExpunge = mailstore.SyncOptions{NoExpunge: true}
)

func mark(c *cluster, sel *mailstore.Selected, f metadata.Flags, uids ...metadata.UID) *metadata.StoreResult {
	c.t.Helper()
	res, err := sel.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: metadata.UIDSetOf(uids...), Op: metadata.FlagsAdd, Flags: f})
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

func expunge(c *cluster, sel *mailstore.Selected, uids ...metadata.UID) {
	c.t.Helper()
	if _, err := sel.ExpungeAll(c.ctx, metadata.UIDSetOf(uids...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) expect(sel *mailstore.Selected, o mailstore.SyncOptions, want string) {
	c.t.Helper()
	if got := describe(c.sync(sel, o)); got != want {
		c.t.Errorf("Sync(%+v) = %q, want %q", o, got, want)
	}
}

func (c *cluster) fill(s *mailstore.Store, u *mailstore.User, mailbox string, n int) {
	c.t.Helper()
	for i := range n {
		c.append(u, s, mailbox, mail(fmt.Sprint(i)))
	}
}

// Every case is run with both sessions on one node, and with two nodes that hear nothing of each other.
func onNodes(t *testing.T, run func(t *testing.T, c *cluster, a, b *mailstore.Store)) {
	t.Run("one node", func(t *testing.T) {
		c := newCluster(t)
		s := c.node(nil)
		run(t, c, s, s)
	})
	t.Run("deaf nodes", func(t *testing.T) {
		c := newCluster(t)
		quiet := func(cfg *mailstore.Config) {
			cfg.Notify = deaf{}
			cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour
		}
		run(t, c, c.node(quiet), c.node(quiet))
	})
}

func TestExpungeElsewhereDoesNotShift(t *testing.T) {
	onNodes(t, func(t *testing.T, c *cluster, na, nb *mailstore.Store) {
		account := c.account()
		ua, ub := na.User(account), nb.User(account)
		c.fill(na, ua, "INBOX", 5)
		a, b := c.open(ua, "INBOX"), c.open(ub, "INBOX")
		expunge(c, b, 2, 4)
		c.append(ub, nb, "INBOX", mail("new"))
		if got := a.UID(3); got != 3 {
			t.Errorf("sequence number 3 became UID %d before the session was told", got)
		}
		o := fresh
		o.NoExpunge = true
		c.expect(a, o, "EXISTS 6")
		if got := uidsOf(a); !reflect.DeepEqual(got, []metadata.UID{1, 2, 3, 4, 5, 6}) {
			t.Errorf("snapshot %v", got)
		}
		// The flags of a message the others do not see any more.
		var gone []metadata.UID
		if err := a.Messages(c.ctx, a.AllUIDs(), func(seq mailstore.SeqNum, m *metadata.Message, isGone bool) bool {
			if a.UID(seq) != m.UID {
				t.Errorf("sequence number %d came with UID %d", seq, m.UID)
			}
			if isGone {
				gone = append(gone, m.UID)
			} else if m.Size == 0 {
				t.Errorf("no row for %d", m.UID)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if gone != nil {
			t.Errorf("rows of %v are lost", gone)
		}
		c.expect(a, noExpunge, "")
		c.expect(a, mailstore.SyncOptions{}, "EXPUNGE 2 (uid 2); EXPUNGE 3 (uid 4)")
		c.expect(a, mailstore.SyncOptions{}, "")
		c.expect(b, fresh, "EXPUNGE 2 (uid 2); EXPUNGE 3 (uid 4); EXISTS 4")
	})
}

func TestFlagsAreToldOnce(t *testing.T) {
	onNodes(t, func(t *testing.T, c *cluster, na, nb *mailstore.Store) {
		account := c.account()
		ua, ub := na.User(account), nb.User(account)
		c.fill(na, ua, "INBOX", 3)
		a, b := c.open(ua, "INBOX"), c.open(ub, "INBOX")
		mark(c, a, metadata.FlagSeen, 1, 2)
		c.expect(a, fresh, "")
		c.expect(b, fresh, fmt.Sprintf(`FLAGS uid 1 %b ""; FLAGS uid 2 %b ""`, metadata.FlagSeen, metadata.FlagSeen))
		c.expect(b, fresh, "")

		// Somebody else's change below one's own must be told, or a silent STORE would hide it.
		mark(c, b, metadata.FlagFlagged, 2)
		mark(c, a, metadata.FlagAnswered, 2, 3)
		all := metadata.FlagSeen | metadata.FlagFlagged | metadata.FlagAnswered
		want := fmt.Sprintf(`FLAGS uid 2 %b ""`, all)
		if na == nb {
			// One node: the view may know of it before the STORE, and so may the session's rows; it is told all the same.
			c.expect(a, fresh, want)
		} else {
			c.expect(a, fresh, want)
		}
		c.expect(a, fresh, "")

		// And after one's own.
		mark(c, a, metadata.FlagDeleted, 1)
		mark(c, b, metadata.FlagDraft, 1)
		c.expect(a, fresh, fmt.Sprintf(`FLAGS uid 1 %b ""`, metadata.FlagSeen|metadata.FlagDeleted|metadata.FlagDraft))
	})
}

func TestOwnChangesAreSeenAtOnce(t *testing.T) {
	onNodes(t, func(t *testing.T, c *cluster, n, _ *mailstore.Store) {
		u := n.User(c.account("Trash"))
		c.fill(n, u, "INBOX", 4)
		sel := c.open(u, "INBOX")
		mark(c, sel, metadata.FlagDeleted, 1)
		if err := sel.Messages(c.ctx, metadata.UIDSetOf(1), func(_ mailstore.SeqNum, m *metadata.Message, _ bool) bool {
			if m.Flags != metadata.FlagDeleted {
				t.Errorf("flags %b after the STORE", m.Flags)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := sel.Expunge(c.ctx, nil); err != nil {
			t.Fatal(err)
		}
		c.expect(sel, mailstore.SyncOptions{}, "EXPUNGE 1 (uid 1)")
		res, err := sel.Move(c.ctx, metadata.UIDSetOf(3, 4), "Trash")
		if err != nil || len(res.Dest) != 2 {
			t.Fatal(res, err)
		}
		c.expect(sel, mailstore.SyncOptions{}, "EXPUNGE 2 (uid 3); EXPUNGE 2 (uid 4)")
		if _, err := sel.Copy(c.ctx, sel.AllUIDs(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		c.expect(sel, mailstore.SyncOptions{}, "EXISTS 2")
		if _, err := sel.Copy(c.ctx, sel.AllUIDs(), "Missing"); !mailerr.Is(err, mailerr.NotFound) {
			t.Errorf("Copy to a missing mailbox: %v", err)
		}
	})
}

func TestDeletedMailboxIsGone(t *testing.T) {
	onNodes(t, func(t *testing.T, c *cluster, na, nb *mailstore.Store) {
		account := c.account("Work")
		ua, ub := na.User(account), nb.User(account)
		c.fill(na, ua, "Work", 2)
		a := c.open(ua, "Work")
		if err := ub.Delete(c.ctx, "work"); !mailerr.Is(err, mailerr.NotFound) {
			t.Errorf("names are case-sensitive but for INBOX: %v", err)
		}
		if err := ub.Delete(c.ctx, "Work"); err != nil {
			t.Fatal(err)
		}
		c.expect(a, fresh, "GONE")
		c.expect(a, fresh, "GONE")
		n := 0
		if err := a.Messages(c.ctx, a.AllUIDs(), func(_ mailstore.SeqNum, _ *metadata.Message, gone bool) bool {
			n++
			return gone
		}); err != nil || n != 2 {
			t.Errorf("Messages of a deleted mailbox: %d, %v", n, err)
		}
		if _, err := a.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: a.AllUIDs(), Flags: metadata.FlagSeen}); !mailerr.Is(err, mailerr.NotFound) {
			t.Errorf("StoreFlags in a deleted mailbox: %v", err)
		}
		// The name may be used again; it is another mailbox.
		if _, err := ub.Create(c.ctx, "Work", ""); err != nil {
			t.Fatal(err)
		}
		if n := c.open(ua, "Work").NumMessages(); n != 0 {
			t.Errorf("the new mailbox has %d messages", n)
		}
		c.expect(a, fresh, "GONE")
	})
}

func TestRecentInOneSessionOnly(t *testing.T) {
	onNodes(t, func(t *testing.T, c *cluster, na, nb *mailstore.Store) {
		account := c.account()
		ua, ub := na.User(account), nb.User(account)
		c.fill(na, ua, "INBOX", 3)
		look, err := ub.Open(c.ctx, "INBOX", mailstore.ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		defer look.Close()
		a, b := c.open(ua, "INBOX"), c.open(ub, "INBOX")
		if a.NumRecent() != 3 || b.NumRecent() != 0 || look.NumRecent() != 3 {
			t.Errorf("recent: %d, %d, read-only %d; want 3, 0, 3", a.NumRecent(), b.NumRecent(), look.NumRecent())
		}
		c.append(ub, nb, "INBOX", mail("4"))
		if u := c.sync(b, fresh); !u.Exists || u.NumRecent != 1 || !b.IsRecent(4) {
			t.Errorf("the first session to be told: %+v", u)
		}
		if u := c.sync(a, fresh); !u.Exists || u.NumRecent != 3 || a.IsRecent(4) {
			t.Errorf("the second session: %+v", u)
		}
		expunge(c, a, 1)
		if u := c.sync(a, fresh); u.NumRecent != 2 {
			t.Errorf("recent after an expunge: %+v", u)
		}
	})
}

func TestReadOnlyChangesNothing(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account())
	c.fill(s, u, "INBOX", 1)
	sel, err := u.Open(c.ctx, "inbox", mailstore.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer sel.Close()
	_, e1 := sel.StoreFlags(c.ctx, mailstore.StoreFlagsRequest{UIDs: sel.AllUIDs(), Flags: metadata.FlagSeen})
	_, e2 := sel.Expunge(c.ctx, nil)
	_, e3 := sel.ExpungeAll(c.ctx, sel.AllUIDs())
	_, e4 := sel.Move(c.ctx, sel.AllUIDs(), "INBOX")
	for i, err := range []error{e1, e2, e3, e4} {
		if !mailerr.Is(err, mailerr.Permission) {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

func TestHintsWake(t *testing.T) {
	c := newCluster(t)
	slow := func(cfg *mailstore.Config) { cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour }
	na, nb := c.node(slow), c.node(slow)
	account := c.account("Work")
	a, work := c.open(na.User(account), "INBOX"), c.open(na.User(account), "Work")
	nb.Deliver(c.ctx, c.stage(nb, mail("x")), []mailstore.Recipient{{Account: account}})
	c.await(a, func(u *mailstore.Updates) bool { return u.Exists })
	if err := nb.User(account).Delete(c.ctx, "Work"); err != nil {
		t.Fatal(err)
	}
	c.await(work, func(u *mailstore.Updates) bool { return u.Gone })
}

func TestPollFindsWhatNoHintTold(t *testing.T) {
	c := newCluster(t)
	quick := func(cfg *mailstore.Config) {
		cfg.Notify, cfg.PollHealthy, cfg.PollUnhealthy = deaf{unhealthy: true}, time.Hour, time.Millisecond
	}
	na, nb := c.node(quick), c.node(quick)
	account := c.account("Work")
	a, work := c.open(na.User(account), "INBOX"), c.open(na.User(account), "Work")
	nb.Deliver(c.ctx, c.stage(nb, mail("x")), []mailstore.Recipient{{Account: account}})
	c.await(a, func(u *mailstore.Updates) bool { return u.Exists })
	if err := nb.User(account).Delete(c.ctx, "Work"); err != nil {
		t.Fatal(err)
	}
	c.await(work, func(u *mailstore.Updates) bool { return u.Gone })
}

func TestRowsMayBeDroppedAnyTime(t *testing.T) {
	c := newCluster(t)
	tiny := func(cfg *mailstore.Config) { cfg.ViewBytes = 1 } // no view keeps its rows while another is read
	s := c.node(tiny)
	account := c.account("Other")
	u := s.User(account)
	c.fill(s, u, "INBOX", 20)
	c.fill(s, u, "Other", 20)
	a, b := c.open(u, "INBOX"), c.open(u, "INBOX")
	other := c.open(u, "Other")
	count := func(sel *mailstore.Selected) (n int) {
		if err := sel.Messages(c.ctx, sel.AllUIDs(), func(seq mailstore.SeqNum, m *metadata.Message, gone bool) bool {
			if gone || m.Size == 0 || sel.UID(seq) != m.UID {
				t.Errorf("message %d (uid %d): %+v gone=%v", seq, sel.UID(seq), m, gone)
			}
			n++
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 10 {
		if n, m := count(other), count(a); n != 20 || m != 20 {
			t.Fatalf("%d and %d messages", n, m)
		}
		count(other) // drops INBOX's rows
		mark(c, a, metadata.FlagSeen, metadata.UID(i+1))
		count(other)
		c.expect(a, fresh, "")
		c.expect(b, fresh, fmt.Sprintf(`FLAGS uid %d %b ""`, i+1, metadata.FlagSeen))
	}
}

func TestPurgedExpungesReload(t *testing.T) {
	c := newCluster(t)
	m := &hooks{Store: c.meta}
	m.changesSince = func(do func() (*metadata.Changes, error)) (*metadata.Changes, error) {
		ch, err := do()
		if err == nil {
			ch.Vanished, ch.Complete = nil, false
		}
		return ch, err
	}
	quiet := func(cfg *mailstore.Config) {
		cfg.Notify = deaf{}
		cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour
	}
	na, nb := c.node(func(cfg *mailstore.Config) { quiet(cfg); cfg.Metadata = m }), c.node(quiet)
	account := c.account()
	c.fill(na, na.User(account), "INBOX", 6)
	a, b := c.open(na.User(account), "INBOX"), c.open(nb.User(account), "INBOX")
	expunge(c, b, 2, 5)
	mark(c, b, metadata.FlagSeen, 3)
	c.expect(a, fresh, fmt.Sprintf(`EXPUNGE 2 (uid 2); EXPUNGE 4 (uid 5); FLAGS uid 3 %b ""`, metadata.FlagSeen))
	c.expect(a, fresh, "")
}

func TestResolve(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account("Empty"))
	c.fill(s, u, "INBOX", 6)
	sel := c.open(u, "INBOX")
	expunge(c, sel, 2, 4)
	c.sync(sel, fresh) // 1 3 5 6
	type r = []mailstore.SeqRange
	set := metadata.UIDSetOf
	for _, tc := range []struct {
		in  r
		out metadata.UIDSet
		ok  bool
	}{
		{r{{1, 1}}, set(1), true}, {r{{2, 3}}, set(3, 5), true}, {r{{3, 2}}, set(3, 5), true}, {r{{0, 0}}, set(6), true},
		{r{{3, 0}}, set(5, 6), true}, {r{{0, 3}}, set(5, 6), true}, {r{{1, 0}}, set(1, 3, 5, 6), true},
		{r{{4, 4}, {1, 1}}, set(1, 6), true}, {r{{5, 5}}, nil, false}, {r{{1, 5}}, nil, false}, {r{{9, 0}}, nil, false},
	} {
		if out, ok := sel.ResolveSeqs(tc.in); ok != tc.ok || !reflect.DeepEqual(out, tc.out) {
			t.Errorf("ResolveSeqs(%v) = %v, %v; want %v, %v", tc.in, out, ok, tc.out, tc.ok)
		}
	}
	for _, tc := range []struct {
		in  r
		out metadata.UIDSet
	}{
		{r{{1, 4}}, set(1, 3)}, {r{{2, 2}}, nil}, {r{{0, 0}}, set(6)}, {r{{100, 0}}, set(6)}, {r{{100, 200}}, nil},
		{r{{1, 4294967295}}, set(1, 3, 5, 6)}, {r{{4294967295, 5}}, set(5, 6)}, {r{{1, 0}}, set(1, 3, 5, 6)},
	} {
		if out := sel.ResolveUIDs(tc.in); !reflect.DeepEqual(out, tc.out) {
			t.Errorf("ResolveUIDs(%v) = %v, want %v", tc.in, out, tc.out)
		}
	}
	empty := c.open(u, "Empty")
	if _, ok := empty.ResolveSeqs(r{{1, 1}}); ok {
		t.Error("1 is a message of an empty mailbox")
	}
	if _, ok := empty.ResolveSeqs(r{{0, 0}}); ok {
		t.Error("* is a message of an empty mailbox")
	}
	if out := empty.ResolveUIDs(r{{1, 0}}); out != nil {
		t.Errorf("UIDs of an empty mailbox: %v", out)
	}
	if empty.UID(1) != 0 || empty.Seq(1) != 0 || empty.FirstUnseen() != 0 || sel.UID(0) != 0 || sel.UID(5) != 0 || sel.Seq(2) != 0 {
		t.Error("there is no such message")
	}
}

func TestSyncWithoutChangeCostsNothing(t *testing.T) {
	c := newCluster(t)
	s := c.node(func(cfg *mailstore.Config) { cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour }) // a poll would be counted
	u := s.User(c.account())
	c.fill(s, u, "INBOX", 3)
	sel := c.open(u, "INBOX")
	if n := testing.AllocsPerRun(100, func() { c.sync(sel, mailstore.SyncOptions{}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
