package mailstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

func packKeys(c *cluster) []string {
	var keys []string
	if err := c.blobs.List(c.ctx, "packs/", func(o blobstore.ObjectInfo) error {
		keys = append(keys, o.Key)
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return keys
}

func TestDeliverOneBodyForManyRecipients(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	var rcpts []mailstore.Recipient
	for i := range 40 {
		rcpts = append(rcpts, mailstore.Recipient{
			Account: c.account(), Prefix: fmt.Appendf(nil, "Delivered-To: u%d@example.org\r\n", i),
		})
	}
	for i, d := range s.Deliver(c.ctx, c.stage(s, mail("one")), rcpts) {
		if d.Err != nil || d.UID != 1 {
			t.Fatalf("recipient %d: %+v", i, d)
		}
	}
	if keys := packKeys(c); len(keys) != 1 {
		t.Fatalf("%d packs, want 1", len(keys))
	}
	for i, r := range rcpts {
		sel := c.open(s.User(r.Account), "INBOX")
		if got, want := c.text(sel, 1), string(rcpts[i].Prefix)+mail("one"); got != want {
			t.Errorf("recipient %d reads %q, want %q", i, got, want)
		}
	}
	// The pack alone tells whose body it is.
	id, ok := blobstore.ParsePackKey(packKeys(c)[0])
	if !ok {
		t.Fatal("pack key")
	}
	entries, err := blobstore.ReadFooter(c.ctx, c.blobs, id)
	if err != nil || len(entries) != len(rcpts) {
		t.Fatalf("%d footer entries, %v", len(entries), err)
	}
}

func TestDeliverLarge(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	a, b := c.account(), c.account()
	for _, size := range []int{1<<20 - 1, 4<<20 - 1, 4 << 20, 4<<20 + 1, 9<<20 + 12345} {
		text := mail("big") + strings.Repeat("0123456789abcdef\r\n", size/18+1)
		text = text[:size]
		st := c.stage(s, text)
		if st.Size() != int64(size) {
			t.Fatalf("Size = %d, want %d", st.Size(), size)
		}
		out := s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: a}, {Account: b}})
		for _, d := range out {
			if d.Err != nil {
				t.Fatal(d.Err)
			}
		}
		if got := c.text(c.open(s.User(b), "INBOX"), out[1].UID); got != text {
			t.Fatalf("size %d: read %d bytes that differ", size, len(got))
		}
	}
}

func TestStageFaults(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	boom := errors.New("connection reset")
	for _, size := range []int{0, 100, 5 << 20} {
		r := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(boom))
		if _, err := s.Stage(c.ctx, r, 0); !errors.Is(err, boom) {
			t.Errorf("after %d bytes: %v, want the reader's error", size, err)
		}
	}
	for _, size := range []int{101, 6 << 20} {
		r := bytes.NewReader(make([]byte, 2*size))
		if _, err := s.Stage(c.ctx, r, int64(size)-1); !mailerr.Is(err, mailerr.TooBig) {
			t.Errorf("limit of %d: %v, want TooBig", size-1, err)
		}
	}
	if _, err := s.Stage(c.ctx, bytes.NewReader(make([]byte, 100)), 100); err != nil {
		t.Errorf("a message of exactly the limit: %v", err)
	}
	if keys := packKeys(c); len(keys) != 0 {
		t.Errorf("packs were left: %v", keys)
	}
}

func TestDeliverMissingMailbox(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	a := c.account("Lists")
	u := s.User(a)
	out := s.Deliver(c.ctx, c.stage(s, mail("x")), []mailstore.Recipient{
		{Account: a, Mailbox: "Lists"}, {Account: a, Mailbox: "Nowhere"}, {Account: a, Mailbox: "a//b"}, {Account: metadata.NewAccountID()},
	})
	for i, want := range []mailerr.Kind{0, 0, 0, mailerr.NotFound} {
		if err := out[i].Err; i < 3 && err != nil || i == 3 && !mailerr.Is(err, want) {
			t.Errorf("recipient %d: %v", i, err)
		}
	}
	if n := c.open(u, "INBOX").NumMessages(); n != 2 {
		t.Errorf("INBOX has %d messages, want 2", n)
	}
	if n := c.open(u, "Lists").NumMessages(); n != 1 {
		t.Errorf("Lists has %d messages, want 1", n)
	}
	if _, err := u.Append(c.ctx, "Nowhere", c.stage(s, mail("x")), mailstore.AppendOptions{}); !mailerr.Is(err, mailerr.NotFound) {
		t.Errorf("Append to a missing mailbox: %v", err)
	}
	// The account goes while its INBOX is remembered.
	if err := c.meta.RemoveAccount(c.ctx, a); err != nil {
		t.Fatal(err)
	}
	if d := s.Deliver(c.ctx, c.stage(s, mail("x")), []mailstore.Recipient{{Account: a}})[0]; !mailerr.Is(d.Err, mailerr.NotFound) {
		t.Errorf("delivery to a removed account: %v", d.Err)
	}
}

func TestUIDsAreConsecutiveUnderLoad(t *testing.T) {
	c := newCluster(t)
	nodes := []*mailstore.Store{c.node(nil), c.node(nil)}
	accounts := []metadata.AccountID{c.account(), c.account(), c.account()}
	const senders, each = 16, 20
	seen := make([]map[metadata.UID]bool, len(accounts))
	for i := range seen {
		seen[i] = map[metadata.UID]bool{}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			last := make([]metadata.UID, len(accounts))
			for k := range each {
				s := nodes[(i+k)%2]
				out := s.Deliver(c.ctx, c.stage(s, mail(fmt.Sprint(i, k))), []mailstore.Recipient{
					{Account: accounts[0]}, {Account: accounts[1]}, {Account: accounts[2]},
				})
				mu.Lock()
				for j, d := range out {
					if d.Err != nil {
						t.Error(d.Err)
					}
					if seen[j][d.UID] {
						t.Errorf("UID %d given twice", d.UID)
					}
					if d.UID <= last[j] {
						t.Errorf("UID %d after %d", d.UID, last[j])
					}
					seen[j][d.UID], last[j] = true, d.UID
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for j, a := range accounts {
		sel := c.open(nodes[j%2].User(a), "INBOX")
		uids := uidsOf(sel)
		if len(uids) != senders*each || uids[0] != 1 || uids[len(uids)-1] != senders*each {
			t.Errorf("mailbox %d has %d messages from %d to %d, want %d without a hole", j, len(uids), uids[0], uids[len(uids)-1], senders*each)
		}
	}
}

func TestCloseAnswersAll(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	a := c.account()
	var wg sync.WaitGroup
	stored := make(chan bool, 200)
	for range 100 {
		st := c.stage(s, mail("x"))
		wg.Go(func() {
			d := s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: a}})[0]
			if d.Err != nil && !mailerr.Is(d.Err, mailerr.Unavailable) {
				t.Error(d.Err)
			}
			stored <- d.Err == nil
		})
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	close(stored)
	n := uint32(0)
	for ok := range stored {
		if ok {
			n++
		}
	}
	other := c.node(nil)
	if got := c.open(other.User(a), "INBOX").NumMessages(); got != n {
		t.Errorf("%d messages are there, %d were acknowledged", got, n)
	}
	if d := s.Deliver(c.ctx, c.stage(other, mail("x")), []mailstore.Recipient{{Account: a}})[0]; !mailerr.Is(d.Err, mailerr.Unavailable) {
		t.Errorf("delivery after Close: %v", d.Err)
	}
}
