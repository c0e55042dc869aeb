package mailstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/filestore"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is one database and one object store, for any number of nodes.
type cluster struct {
	t     testing.TB
	ctx   context.Context
	meta  metadata.Store
	blobs blobstore.Store
	hints notify.Notifier
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	return newClusterOn(t, openMetadata(t))
}

func newClusterOn(t testing.TB, meta metadata.Store) *cluster {
	t.Helper()
	blobs, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, ctx: context.Background(), blobs: blobs, hints: notify.NewLocal(), meta: meta}
	t.Cleanup(func() {
		for _, err := range []error{c.hints.Close(), c.blobs.Close(), c.meta.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

// node starts a node; change, if not nil, edits its configuration.
func (c *cluster) node(change func(*mailstore.Config)) *mailstore.Store {
	c.t.Helper()
	cfg := mailstore.Config{Metadata: c.meta, Blobs: c.blobs, Notify: c.hints, Log: slog.New(slog.NewTextHandler(testWriter{c.t}, nil))}
	if change != nil {
		change(&cfg)
	}
	s, err := mailstore.New(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			c.t.Errorf("Close: %v", err)
		}
	})
	return s
}

// account makes an account with an INBOX and the given mailboxes.
func (c *cluster) account(mailboxes ...string) metadata.AccountID {
	c.t.Helper()
	id := metadata.NewAccountID()
	a := metadata.NewAccount{ID: id, Address: id.String() + "@example.org"}
	for _, name := range append([]string{"INBOX"}, mailboxes...) {
		a.Mailboxes = append(a.Mailboxes, metadata.NewMailbox{ID: metadata.NewMailboxID(), Name: name})
	}
	errs, err := c.meta.CreateAccounts(c.ctx, []metadata.NewAccount{a})
	if err != nil || errs[0] != nil {
		c.t.Fatal(err, errs)
	}
	return id
}

func mail(subject string) string {
	return "From: a@example.org\r\nTo: b@example.org\r\nSubject: " + subject + "\r\n\r\nHello.\r\n"
}

func (c *cluster) stage(s *mailstore.Store, text string) *mailstore.Staged {
	c.t.Helper()
	st, err := s.Stage(c.ctx, strings.NewReader(text), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

// append puts a message into a mailbox and returns its UID.
func (c *cluster) append(u *mailstore.User, s *mailstore.Store, mailbox, text string) metadata.UID {
	c.t.Helper()
	d, err := u.Append(c.ctx, mailbox, c.stage(s, text), mailstore.AppendOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return d.UID
}

func (c *cluster) open(u *mailstore.User, mailbox string) *mailstore.Selected {
	c.t.Helper()
	sel, err := u.Open(c.ctx, mailbox, mailstore.ReadWrite)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(sel.Close)
	return sel
}

func (c *cluster) sync(sel *mailstore.Selected, o mailstore.SyncOptions) *mailstore.Updates {
	c.t.Helper()
	u, err := sel.Sync(c.ctx, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

// text reads a message's BODY[].
func (c *cluster) text(sel *mailstore.Selected, uid metadata.UID) string {
	c.t.Helper()
	var id metadata.BodyID
	if err := sel.Messages(c.ctx, metadata.UIDSetOf(uid), func(_ mailstore.SeqNum, m *metadata.Message, gone bool) bool {
		if gone {
			c.t.Fatalf("message %d is gone", uid)
		}
		id = m.Body
		return true
	}); err != nil {
		c.t.Fatal(err)
	}
	bodies, err := sel.Bodies(c.ctx, []metadata.BodyID{id})
	if err != nil || bodies[id] == nil {
		c.t.Fatalf("body of %d: %v, %v", uid, bodies, err)
	}
	r := sel.OpenBody(bodies[id])
	p := make([]byte, r.Size())
	if n, err := r.ReadAt(c.ctx, p, 0); n != len(p) {
		c.t.Fatalf("ReadAt: %d of %d, %v", n, len(p), err)
	}
	return string(p)
}

// uidsOf is the session's snapshot, spelled out.
func uidsOf(sel *mailstore.Selected) []metadata.UID {
	var uids []metadata.UID
	for seq := mailstore.SeqNum(1); seq <= mailstore.SeqNum(sel.NumMessages()); seq++ {
		uids = append(uids, sel.UID(seq))
	}
	return uids
}

// await waits for the session to be told that something changed, and then until ok.
func (c *cluster) await(sel *mailstore.Selected, ok func(*mailstore.Updates) bool) *mailstore.Updates {
	c.t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case <-sel.Changed():
		case <-deadline:
			c.t.Fatal("no change came")
		}
		if u := c.sync(sel, mailstore.SyncOptions{}); ok(u) {
			return u
		}
	}
}

// deaf is a Notifier of which nothing is ever heard.
type deaf struct{ unhealthy bool }

type deafSub struct{}

func (deafSub) Close() {}

func (deaf) Publish(context.Context, ...notify.Hint) {}
func (deaf) Subscribe([16]byte, func(notify.Hint)) notify.Subscription {
	return deafSub{}
}
func (d deaf) Healthy() bool  { return !d.unhealthy }
func (deaf) OnRecover(func()) {}
func (deaf) Close() error     { return nil }

// testWriter sends a log to the test's.
type testWriter struct{ t testing.TB }

var logMu sync.Mutex

func (w testWriter) Write(p []byte) (int, error) {
	logMu.Lock()
	defer logMu.Unlock()
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

func describe(u *mailstore.Updates) string {
	var b strings.Builder
	for _, e := range u.Expunged {
		fmt.Fprintf(&b, "EXPUNGE %d (uid %d); ", e.Seq, e.UID)
	}
	if u.Exists {
		fmt.Fprintf(&b, "EXISTS %d; ", u.NumMessages)
	}
	for _, m := range u.Flags {
		fmt.Fprintf(&b, "FLAGS uid %d %b %q; ", m.UID, m.Flags, m.Keywords)
	}
	if u.Gone {
		b.WriteString("GONE; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}
