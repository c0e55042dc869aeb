package mailstore_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

func (c *cluster) batch(s *mailstore.Store, u *mailstore.User, mailbox string, texts ...string) *mailstore.Batch {
	c.t.Helper()
	b, err := u.NewBatch(c.ctx, mailbox)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, text := range texts {
		if err := b.Add(c.ctx, c.stage(s, text), mailstore.AppendOptions{Flags: metadata.FlagSeen}); err != nil {
			c.t.Fatal(err)
		}
	}
	return b
}

func TestBatch(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account())
	sel := c.open(u, "INBOX")
	large := mail("large") + strings.Repeat("0123456789abcdef\r\n", 300_000)
	texts := []string{mail("one"), large, mail("two"), large + "x", mail("three")}
	b := c.batch(s, u, "INBOX", texts...)
	if up := c.sync(sel, mailstore.SyncOptions{Fresh: true}); up.NumMessages != 0 {
		t.Fatalf("%d messages before Commit", up.NumMessages)
	}
	data, err := b.Commit(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(data.UIDs, []metadata.UID{1, 2, 3, 4, 5}) || data.UIDValidity != sel.Mailbox().UIDValidity {
		t.Errorf("%+v", data)
	}
	c.await(sel, func(up *mailstore.Updates) bool { return up.NumMessages == 5 })
	for i, uid := range data.UIDs {
		if c.text(sel, uid) != texts[i] {
			t.Errorf("message %d has other bytes", uid)
		}
	}
}

func TestBatchRefused(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	account := c.account("Gone")
	u := s.User(account)
	if err := c.meta.SetQuota(c.ctx, account, 0, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := c.batch(s, u, "INBOX", mail("one"), mail("two"), mail("three")).Commit(c.ctx); !mailerr.Is(err, mailerr.OverQuota) {
		t.Errorf("over quota: %v", err)
	}
	b := c.batch(s, u, "Gone", mail("one"), mail("two"))
	if err := u.Delete(c.ctx, "Gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(c.ctx); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("mailbox gone: %v", err)
	}
	c.batch(s, u, "INBOX", mail("one")).Discard()
	if _, err := u.NewBatch(c.ctx, "Gone"); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("NewBatch: %v", err)
	}
	b = c.batch(s, u, "INBOX", mail("one"))
	if err := b.Add(c.ctx, c.stage(s, mail("x")), mailstore.AppendOptions{Keywords: []string{"a b"}}); !mailerr.Is(err, mailerr.Invalid) {
		t.Errorf("keyword: %v", err)
	}
	b.Discard()
	if up := c.open(u, "INBOX"); up.NumMessages() != 0 {
		t.Errorf("%d messages", up.NumMessages())
	}
	if data, err := c.batch(s, u, "INBOX").Commit(c.ctx); err != nil || len(data.UIDs) != 0 {
		t.Errorf("empty: %+v, %v", data, err)
	}
}

// TestBatchOutage fails each step of storing in turn: nothing may be visible.
func TestBatchOutage(t *testing.T) {
	c := newCluster(t)
	s, m, blobs := c.hooked()
	u := s.User(c.account())
	away := mailerr.Wrap("test", mailerr.Unavailable, errors.New("away"))
	blobs.put = func(context.Context, string, func() error) error { return away }
	if _, err := c.batch(s, u, "INBOX", mail("one"), mail("two")).Commit(c.ctx); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("object store away: %v", err)
	}
	blobs.put = nil
	m.append = func(metadata.AppendBatch, func() ([]metadata.AppendResult, error)) ([]metadata.AppendResult, error) {
		return nil, away
	}
	if _, err := c.batch(s, u, "INBOX", mail("one"), mail("two")).Commit(c.ctx); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("database away: %v", err)
	}
	m.append = nil
	if n := c.open(u, "INBOX").NumMessages(); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// TestBatchesHoldNoMemory begins more messages than the budget for staging holds, in batches that are not ended.
func TestBatchesHoldNoMemory(t *testing.T) {
	c := newCluster(t)
	s := c.node(func(cfg *mailstore.Config) { cfg.StageBytes = 1 << 20 })
	u := s.User(c.account())
	var batches []*mailstore.Batch
	for range 20 {
		batches = append(batches, c.batch(s, u, "INBOX"))
	}
	for i := range 10 {
		for _, b := range batches {
			text := mail(fmt.Sprint(i)) + randomText(c, 100<<10)
			if err := b.Add(c.ctx, c.stage(s, text), mailstore.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range batches {
		if _, err := b.Commit(c.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.open(u, "INBOX").NumMessages(); n != 200 {
		t.Errorf("%d messages", n)
	}
}

func TestReplace(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account("Sent"))
	other := c.node(nil).User(u.Account())
	for _, subject := range []string{"a", "b", "c"} {
		c.append(u, s, "INBOX", mail(subject))
	}
	sel, watching := c.open(u, "INBOX"), c.open(other, "INBOX")
	large := mail("large") + strings.Repeat("0123456789abcdef\r\n", 300_000)
	data, err := sel.Replace(c.ctx, 2, "INBOX", c.stage(s, large), mailstore.AppendOptions{Flags: metadata.FlagDraft})
	if err != nil {
		t.Fatal(err)
	}
	if data.UID != 4 {
		t.Errorf("UID %d", data.UID)
	}
	up := c.sync(sel, mailstore.SyncOptions{})
	if len(up.Expunged) != 1 || up.Expunged[0].UID != 2 || up.NumMessages != 3 {
		t.Errorf("%+v", up)
	}
	if c.text(sel, 4) != large {
		t.Error("other bytes")
	}
	c.await(watching, func(up *mailstore.Updates) bool { return slices.Equal(uidsOf(watching), []metadata.UID{1, 3, 4}) })
	if _, err := sel.Replace(c.ctx, 1, "Sent", c.stage(s, mail("sent")), mailstore.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await(watching, func(up *mailstore.Updates) bool { return slices.Equal(uidsOf(watching), []metadata.UID{3, 4}) })
	if got := uidsOf(c.open(u, "Sent")); len(got) != 1 {
		t.Errorf("Sent has %v", got)
	}

	for _, tc := range []struct {
		name string
		uid  metadata.UID
		kind mailerr.Kind
	}{{"Nothing", 3, mailerr.NotFound}, {"INBOX", 1, mailerr.Expunged}} {
		if _, err := sel.Replace(c.ctx, tc.uid, tc.name, c.stage(s, mail("x")), mailstore.AppendOptions{}); !mailerr.Is(err, tc.kind) {
			t.Errorf("%s %d: %v", tc.name, tc.uid, err)
		}
	}
	examined, err := u.Open(c.ctx, "INBOX", mailstore.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer examined.Close()
	if _, err := examined.Replace(c.ctx, 3, "INBOX", c.stage(s, mail("x")), mailstore.AppendOptions{}); !mailerr.Is(err, mailerr.Permission) {
		t.Errorf("read-only: %v", err)
	}
}

func TestMessage(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account())
	uid := c.append(u, s, "INBOX", mail("one"))
	validity := c.open(u, "INBOX").Mailbox().UIDValidity
	m, err := u.Message(c.ctx, "inbox", validity, uid)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, m.Reader.Size())
	if _, err := m.Reader.ReadAt(c.ctx, p, 0); err != nil || string(p) != mail("one") || m.Row.UID != uid {
		t.Errorf("%q of %d: %v", p, m.Row.UID, err)
	}
	for _, tc := range []struct {
		name     string
		validity metadata.UIDValidity
		uid      metadata.UID
	}{{"INBOX", validity + 1, uid}, {"INBOX", 0, 77}, {"Nothing", 0, uid}} {
		if _, err := u.Message(c.ctx, tc.name, tc.validity, tc.uid); !mailerr.Is(err, mailerr.NotFound) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

// randomText does not compress well.
func randomText(c *cluster, n int) string {
	c.t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	raw := make([]byte, n/2)
	_, _ = random.Read(raw)
	return hex.EncodeToString(raw)
}
