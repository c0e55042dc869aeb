package mailstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
	"github.com/rookery-mail/rookery/metadata"
)

// Hints that come while a view is being read must not be forgotten: no poll helps here.
func TestNoHintIsForgotten(t *testing.T) {
	c := newCluster(t)
	slow := func(cfg *mailstore.Config) { cfg.PollHealthy, cfg.PollUnhealthy = time.Hour, time.Hour }
	na, nb := c.node(slow), c.node(slow)
	account := c.account()
	const messages = 100
	var sessions []*mailstore.Selected
	for range 3 {
		sessions = append(sessions, c.open(na.User(account), "INBOX"), c.open(nb.User(account), "INBOX"))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range messages / 4 {
				if d := deliver(c, nb, account)[0]; d.Err != nil {
					t.Error(d.Err)
				}
			}
		})
	}
	for _, sel := range sessions {
		c.await(sel, func(u *mailstore.Updates) bool { return u.NumMessages == messages })
	}
	wg.Wait()
}

func TestSessionsComeAndGoBesideHints(t *testing.T) {
	c := newCluster(t)
	s := c.node(func(cfg *mailstore.Config) { cfg.ViewBytes = 1 })
	account := c.account()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				deliver(c, s, account)
			}
		}
	})
	var sessions sync.WaitGroup
	for range 4 {
		sessions.Go(func() {
			for range 25 {
				sel, err := s.User(account).Open(c.ctx, "INBOX", mailstore.ReadWrite)
				if err != nil {
					t.Error(err)
					return
				}
				ended := make(chan struct{})
				go func() { // Close may come at any moment, from elsewhere
					<-sel.Changed()
					sel.Close()
					close(ended)
				}()
				for open := true; open; {
					if _, err := sel.Sync(c.ctx, fresh); err != nil {
						t.Error(err)
					}
					select {
					case <-ended:
						open = false
					default:
					}
				}
			}
		})
	}
	sessions.Wait()
	close(stop)
	wg.Wait()
}

func TestGhostsAreBounded(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	u := s.User(c.account())
	c.append(u, s, "INBOX", mail("x"))
	mine, other := c.open(u, "INBOX"), c.open(u, "INBOX")
	for range 11 { // 2048 messages
		if _, err := mine.Copy(c.ctx, mine.AllUIDs(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		c.sync(mine, fresh)
	}
	c.sync(other, fresh)
	for first := metadata.UID(1); first < 2048; first += 100 {
		if _, err := mine.ExpungeAll(c.ctx, metadata.UIDSet{{First: first, Last: min(first+99, 2047)}}); err != nil {
			t.Fatal(err)
		}
		c.sync(mine, fresh)
	}
	c.expect(other, mailstore.SyncOptions{Fresh: true, NoExpunge: true}, "")
	known, gone := 0, 0
	if err := other.Messages(c.ctx, other.AllUIDs(), func(seq mailstore.SeqNum, m *metadata.Message, isGone bool) bool {
		if metadata.UID(seq) != m.UID {
			t.Fatalf("number %d came with UID %d", seq, m.UID)
		}
		if isGone {
			gone++
		} else {
			known++
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if known+gone != 2048 || known > 1100 || known < 1000 {
		t.Errorf("%d rows known, %d gone", known, gone)
	}
	if u := c.sync(other, mailstore.SyncOptions{}); len(u.Expunged) != 2047 || u.NumMessages != 1 || other.UID(1) != 2048 {
		t.Errorf("%d expunges, %d messages, the last is UID %d", len(u.Expunged), u.NumMessages, other.UID(1))
	}
}

// slowReader gives size bytes and then waits for its end.
type slowReader struct {
	left int
	end  <-chan struct{}
	err  error
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		<-r.end
		return 0, r.err
	}
	n := min(len(p), r.left)
	r.left -= n
	return n, nil
}

func TestUploadsEndWithTheirSender(t *testing.T) {
	c := newCluster(t)
	s := c.node(nil)
	account := c.account()
	end := make(chan struct{})
	var wg sync.WaitGroup
	for range 40 { // more than may upload at once
		wg.Go(func() {
			if _, err := s.Stage(c.ctx, &slowReader{left: 5 << 20, end: end, err: context.DeadlineExceeded}, 0); err == nil {
				t.Error("a message that did not end was staged")
			}
		})
	}
	close(end)
	wg.Wait()
	// A caller that gives up at the last moment: nothing becomes visible, nothing is left.
	ctx, cancel := context.WithCancel(c.ctx)
	st, err := s.Stage(ctx, strings.NewReader(strings.Repeat("x", 5<<20)), 0)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if d := s.Deliver(ctx, st, []mailstore.Recipient{{Account: account}})[0]; !mailerr.Is(d.Err, mailerr.Unavailable) {
		t.Errorf("%+v", d)
	}
	if keys := packKeys(c); len(keys) != 0 {
		t.Errorf("packs were left: %v", keys)
	}
	// A context that was Stage's own does not end the upload.
	ctx, cancel = context.WithCancel(c.ctx)
	if st, err = s.Stage(ctx, strings.NewReader(strings.Repeat("y", 5<<20)), 0); err != nil {
		t.Fatal(err)
	}
	cancel()
	if d := s.Deliver(c.ctx, st, []mailstore.Recipient{{Account: account}})[0]; d.Err != nil {
		t.Error(d.Err)
	}
}
