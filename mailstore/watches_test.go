package mailstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

// countedHints counts the subscriptions of each account.
type countedHints struct {
	notify.Notifier
	mu   sync.Mutex
	open map[[16]byte]int // guarded by mu
}

type countedSub struct {
	notify.Subscription
	once func()
}

func (n *countedHints) Subscribe(account [16]byte, fn func(notify.Hint)) notify.Subscription {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[account]++
	return &countedSub{n.Notifier.Subscribe(account, fn), sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.open[account]--
	})}
}

func (s *countedSub) Close() {
	s.Subscription.Close()
	s.once()
}

func (n *countedHints) of(account metadata.AccountID) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open[account]
}

func watch(c *cluster, s *mailstore.Store, account metadata.AccountID) *mailstore.Watch {
	c.t.Helper()
	w, err := s.User(account).Watch(c.ctx, mailstore.WatchOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(w.Close)
	return w
}

// awaitListing waits until what a watch knows is as said.
func awaitListing(c *cluster, w *mailstore.Watch, what string, is func(*mailstore.Listing) bool) {
	c.t.Helper()
	timeout := time.After(time.Minute)
	for !is(w.Mailboxes()) {
		select {
		case <-w.Changed():
		case <-timeout:
			c.t.Fatalf("never learned: %s", what)
		}
	}
}

func messagesIn(name string, n uint32) func(*mailstore.Listing) bool {
	return func(l *mailstore.Listing) bool {
		info := l.Named(name)
		return info != nil && !info.NonExistent && info.Messages == n && l.Mailbox(info.ID) == info
	}
}

// What another node does is known: by hints alone, and by polls alone.
func TestWatch(t *testing.T) {
	for name, hints := range map[string]bool{"hints": true, "polls": false} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			change := func(cfg *mailstore.Config) {
				cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour
				if !hints {
					own := notify.NewLocal()
					t.Cleanup(func() { _ = own.Close() })
					cfg.Notify, cfg.PollHealthy, cfg.PollUnhealthy = own, 50*time.Millisecond, 50*time.Millisecond
				}
			}
			na, nb := c.node(change), c.node(change)
			account := c.account()
			w, u := watch(c, na, account), nb.User(account)
			deliver(c, nb, account)
			awaitListing(c, w, "a delivery", messagesIn("INBOX", 1))
			before := w.Mailboxes()
			deliver(c, nb, account)
			awaitListing(c, w, "another delivery", messagesIn("INBOX", 2))
			if !messagesIn("INBOX", 1)(before) {
				t.Error("a Listing changed")
			}
			if hints && !before.SameNames(w.Mailboxes()) {
				t.Error("the list was read for a delivery")
			}
			for _, step := range []struct {
				what string
				do   func() error
				is   func(*mailstore.Listing) bool
			}{
				{"CREATE", func() error { _, err := u.Create(c.ctx, "Watched/Child", ""); return err }, func(l *mailstore.Listing) bool {
					parent := l.Named("Watched")
					return l.Named("Watched/Child") != nil && parent != nil && parent.NonExistent && parent.HasChildren
				}},
				{"RENAME", func() error { return u.Rename(c.ctx, "Watched/Child", "Other") }, func(l *mailstore.Listing) bool {
					return l.Named("Watched") == nil && l.Named("Other") != nil
				}},
				{"SUBSCRIBE", func() error { return u.Subscribe(c.ctx, "Other") }, func(l *mailstore.Listing) bool { return l.Named("Other").Subscribed }},
				{"UNSUBSCRIBE", func() error { return u.Unsubscribe(c.ctx, "Other") }, func(l *mailstore.Listing) bool { return !l.Named("Other").Subscribed }},
				{"DELETE", func() error { return u.Delete(c.ctx, "Other") }, func(l *mailstore.Listing) bool { return l.Named("Other") == nil }},
			} {
				if err := step.do(); err != nil {
					t.Fatalf("%s: %v", step.what, err)
				}
				awaitListing(c, w, step.what, step.is)
			}
		})
	}
}

// Sessions of an account share one subscription, and the last to go ends it. A Refresh sees what nobody told.
func TestWatchIsShared(t *testing.T) {
	c := newCluster(t)
	counted := &countedHints{Notifier: notify.NewLocal(), open: map[[16]byte]int{}}
	t.Cleanup(func() { _ = counted.Notifier.Close() })
	s := c.node(func(cfg *mailstore.Config) {
		cfg.Notify, cfg.PollHealthy, cfg.PollUnhealthy = counted, time.Hour, time.Hour
	})
	deaf := c.node(nil) // hints of another notifier
	account := c.account()
	if n := counted.of(account); n != 0 {
		t.Fatalf("%d subscriptions without a watch", n)
	}
	a, b := watch(c, s, account), watch(c, s, account)
	if n := counted.of(account); n != 1 {
		t.Errorf("%d subscriptions for two sessions", n)
	}
	deliver(c, deaf, account)
	if err := a.Refresh(c.ctx); err != nil {
		t.Fatal(err)
	}
	if !messagesIn("INBOX", 1)(a.Mailboxes()) || a.Mailboxes() != b.Mailboxes() {
		t.Error("sessions do not see what one of them asked for")
	}
	awaitListing(c, b, "the other's Refresh", messagesIn("INBOX", 1))
	same := a.Mailboxes()
	if err := a.Refresh(c.ctx); err != nil {
		t.Fatal(err)
	}
	if a.Mailboxes() != same {
		t.Error("nothing changed, and there is another Listing")
	}
	a.Close()
	a.Close()
	deliver(c, s, account)
	awaitListing(c, b, "a delivery", messagesIn("INBOX", 2))
	b.Close()
	if n := counted.of(account); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// Sessions that come and go while the list changes all end with the truth.
func TestWatchesComeAndGo(t *testing.T) {
	c := newCluster(t)
	slow := func(cfg *mailstore.Config) { cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour }
	na, nb := c.node(slow), c.node(slow)
	account := c.account()
	const deliveries = 40
	var wg sync.WaitGroup
	wg.Go(func() {
		for range deliveries {
			if d := deliver(c, nb, account)[0]; d.Err != nil {
				t.Error(d.Err)
			}
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 10 {
				w, err := na.User(account).Watch(c.ctx, mailstore.WatchOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case <-w.Changed():
				case <-time.After(5 * time.Millisecond):
				}
				w.Close()
			}
		})
	}
	w := watch(c, na, account)
	wg.Wait()
	awaitListing(c, w, "all deliveries", messagesIn("INBOX", deliveries))
}

// changedSince is what a watch says of annotations, as text: those that are gone in parentheses.
func changedSince(before *mailstore.Listing, w *mailstore.Watch, mailbox metadata.MailboxID) (text string) {
	for _, c := range w.Mailboxes().ChangedAnnotations(before, mailbox) {
		entry := c.Entry
		if c.Digest == 0 {
			entry = "(" + entry + ")"
		}
		text += entry + " "
	}
	return strings.TrimSuffix(text, " ")
}

// Annotations are watched if a session asks for that: those that the user may see, by hints alone and by polls alone.
func TestWatchAnnotations(t *testing.T) {
	for name, hints := range map[string]bool{"hints": true, "polls": false} {
		t.Run(name, func(t *testing.T) {
			n := newNeighbours(t)
			change := func(cfg *mailstore.Config) {
				cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour
				if !hints {
					own := notify.NewLocal()
					t.Cleanup(func() { _ = own.Close() })
					cfg.Notify, cfg.PollHealthy, cfg.PollUnhealthy = own, 50*time.Millisecond, 50*time.Millisecond
				}
			}
			na, nb := n.node(change), n.node(change)
			owner := nb.User(n.owner)
			n.give(nb, "Box", n.guest, metadata.RightLookup|metadata.RightRead)
			set(t, owner, "Box", "/shared/a", "1", "/private/a", "1")
			plain := watch(n.cluster, na, n.guest)
			w, err := na.User(n.guest).Watch(n.ctx, mailstore.WatchOptions{Annotations: true})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			box := w.Mailboxes().Named(n.foreign("Box")).ID
			if got := changedSince(nil, w, box); got != "/shared/a" {
				t.Errorf("at first there are %q", got)
			}
			await := func(what string, mailbox metadata.MailboxID, want string, do func()) {
				t.Helper()
				before := w.Mailboxes()
				do()
				awaitListing(n.cluster, w, what, func(*mailstore.Listing) bool { return changedSince(before, w, mailbox) == want })
				if !before.SameNames(w.Mailboxes()) || before.SameAnnotations(w.Mailboxes()) {
					t.Errorf("%s: names are other ones, or annotations the same", what)
				}
			}
			await("others' shared ones", box, "/shared/a /shared/b", func() { set(t, owner, "Box", "/shared/b", "2", "/private/b", "2", "/shared/a", "2") })
			await("a removed one", box, "(/shared/a)", func() {
				changes := []mailstore.Annotation{{Entry: "/shared/a"}, {Entry: "/shared/b", Value: []byte("2")}}
				if err := owner.SetAnnotations(t.Context(), "Box", changes, mailstore.SetAnnotationsOptions{}); err != nil {
					t.Fatal(err)
				}
			})
			await("the user's own", box, "/private/a", func() { set(t, nb.User(n.guest), n.foreign("Box"), "/private/a", "3") })
			await("the user's own of the server", metadata.ServerAnnotations, "/private/a", func() { set(t, nb.User(n.guest), "", "/private/a", "3") })
			entry := "/shared/vendor/test/" + n.owner.String()
			await("what the server shares", metadata.ServerAnnotations, entry, func() { set(t, owner, "", entry, "1") })
			before := w.Mailboxes()
			n.give(nb, "Box", n.guest, metadata.RightLookup)
			awaitListing(n.cluster, w, "a right that is taken", func(l *mailstore.Listing) bool { return !l.Mailbox(box).Rights.Has(metadata.RightRead) })
			if got := changedSince(before, w, box); got != "" {
				t.Errorf("what may not be seen has changed: %q", got)
			}
			w.Close()
			if err := plain.Refresh(n.ctx); err != nil {
				t.Fatal(err)
			}
			if got := changedSince(nil, plain, metadata.ServerAnnotations); got != "" {
				t.Errorf("nobody watches annotations, and there are %q", got)
			}
		})
	}
}

// deletedMeanwhile does something between the reading of the list and that of annotations.
type deletedMeanwhile struct {
	metadata.Store
	between func()
}

func (s *deletedMeanwhile) AnnotationDigests(ctx context.Context, account metadata.AccountID, others []metadata.MailboxID) ([]metadata.AnnotationState, error) {
	if s.between != nil {
		s.between()
	}
	return s.Store.AnnotationDigests(ctx, account, others)
}

// A mailbox that is deleted between the two readings is not taken for one whose annotations were removed.
func TestWatchAnnotationsOfDeletedMailbox(t *testing.T) {
	c := newCluster(t)
	account := c.account("Box")
	other := c.node(nil).User(account)
	set(t, other, "Box", "/shared/a", "1")
	meta := &deletedMeanwhile{Store: c.meta}
	w, err := c.node(func(cfg *mailstore.Config) { cfg.Metadata = meta }).User(account).Watch(c.ctx, mailstore.WatchOptions{Annotations: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	before := w.Mailboxes()
	box := before.Named("Box").ID
	meta.between = func() {
		if meta.between = nil; other.Delete(c.ctx, "Box") != nil {
			t.Error("Box is not deleted")
		}
	}
	if err := w.Refresh(c.ctx); err != nil {
		t.Fatal(err)
	}
	if w.Mailboxes().Mailbox(box) != nil {
		t.Errorf("Box is listed, and has changed %q", changedSince(before, w, box))
	}
}
