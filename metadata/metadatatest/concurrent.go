package metadatatest

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// testConcurrentAppends appends to the same mailboxes from many goroutines while readers look: UIDs have no holes, and who
// sees one sees all below it.
func testConcurrentAppends(f *fixture) {
	users := []user{f.user(), f.user(), f.user()}
	const writers, batches = 8, 12
	var done atomic.Bool
	var readers, g errgroup.Group
	for _, u := range users {
		readers.Go(func() error {
			var last metadata.UID
			for !done.Load() {
				box, msgs, err := f.s.LoadMailbox(f.ctx(), u.inbox)
				if err != nil {
					return err
				}
				for i := range msgs {
					if msgs[i].UID != metadata.UID(i+1) {
						f.Errorf("the reader sees UID %d in place %d", msgs[i].UID, i+1)
					}
					if i > 0 && msgs[i].ModSeq < msgs[i-1].ModSeq {
						f.Errorf("UID %d has MODSEQ %d after %d", msgs[i].UID, msgs[i].ModSeq, msgs[i-1].ModSeq)
					}
				}
				if box.UIDNext != metadata.UID(len(msgs)+1) || box.UIDNext < last {
					f.Errorf("UIDNEXT %d with %d messages, was %d", box.UIDNext, len(msgs), last)
				}
				last = box.UIDNext
			}
			return nil
		})
	}
	var mu sync.Mutex
	type place struct {
		user int
		uid  metadata.UID
	}
	given := map[place]metadata.BodyID{}
	modSeqs := map[int]map[metadata.ModSeq]int{0: {}, 1: {}, 2: {}}
	for w := range writers {
		g.Go(func() error {
			for b := range batches {
				var items []metadata.AppendItem
				var owners []int
				for i := range 3 { // accounts in different orders: no deadlock
					who := (i*(1+w%2) + w) % len(users)
					items = append(items, item(users[who], users[who].inbox))
					owners = append(owners, who)
				}
				res, err := f.s.Append(f.ctx(), batch(items...))
				if err != nil {
					return err
				}
				mu.Lock()
				tx := w*batches + b + 1
				for i, r := range res {
					if r.Err != nil {
						f.Errorf("item: %v", r.Err)
					}
					at := place{owners[i], r.UID}
					if _, ok := given[at]; ok {
						f.Errorf("UID %d was given twice", r.UID)
					}
					given[at] = items[i].Body.ID
					if other, ok := modSeqs[owners[i]][r.ModSeq]; ok && other != tx {
						f.Errorf("two transactions have MODSEQ %d", r.ModSeq)
					}
					modSeqs[owners[i]][r.ModSeq] = tx
				}
				mu.Unlock()
			}
			return nil
		})
	}
	f.must(g.Wait())
	done.Store(true)
	f.must(readers.Wait())
	for i, u := range users {
		_, msgs := f.load(u.inbox)
		for _, m := range msgs {
			if given[place{i, m.UID}] != m.Body {
				f.Fatalf("UID %d holds another message than was told", m.UID)
			}
			delete(given, place{i, m.UID})
		}
		Check(f.ctx(), f, f.s, u.id)
	}
	if len(given) != 0 {
		f.Fatalf("%d messages were told and are not there", len(given))
	}
}

// testConcurrentChanges makes every kind of change to the same mailboxes at once. A reader that follows the changes ends
// with what is stored.
func testConcurrentChanges(f *fixture) {
	u := f.user()
	f.fill(u, u.inbox, 60, nil)
	start, msgs := f.load(u.inbox)
	view := map[metadata.UID]metadata.Message{}
	for _, m := range msgs {
		view[m.UID] = m
	}
	since := start.HighestModSeq
	follow := func() error {
		c, err := f.s.ChangesSince(f.ctx(), u.inbox, since)
		if err != nil {
			return err
		}
		for _, m := range c.Changed {
			if m.ModSeq <= since {
				f.Errorf("UID %d changed at %d, asked since %d", m.UID, m.ModSeq, since)
			}
			view[m.UID] = m
		}
		for uid := range c.Vanished.All {
			delete(view, uid)
		}
		if c.Mailbox.HighestModSeq < since {
			f.Errorf("HIGHESTMODSEQ went from %d to %d", since, c.Mailbox.HighestModSeq)
		}
		if len(view) != int(c.Mailbox.Messages) {
			f.Errorf("the follower has %d messages, the mailbox %d", len(view), c.Mailbox.Messages)
		}
		since = c.Mailbox.HighestModSeq
		return nil
	}
	var done atomic.Bool
	var follower, g errgroup.Group
	follower.Go(func() error {
		for !done.Load() {
			if err := follow(); err != nil {
				return err
			}
		}
		return nil
	})
	for w := range 6 {
		rnd := rand.New(rand.NewPCG(uint64(w), 1))
		g.Go(func() error {
			for range 12 {
				uid := metadata.UID(rnd.IntN(80) + 1)
				uids := set(uid, uid+metadata.UID(rnd.IntN(5)))
				var err error
				switch rnd.IntN(6) {
				case 0, 1:
					_, err = f.s.StoreFlags(f.ctx(), metadata.StoreFlags{Account: u.id, Mailbox: u.inbox, UIDs: uids,
						Op: metadata.FlagOp(rnd.IntN(3)), Flags: metadata.Flags(rnd.IntN(32))})
				case 2:
					_, err = f.s.Expunge(f.ctx(), metadata.ExpungeRequest{Account: u.id, Mailbox: u.inbox, UIDs: uids, OnlyDeleted: true})
				case 3:
					_, err = f.s.Copy(f.ctx(), f.copyRequest(u, u.inbox, uids, u.trash))
				case 4:
					_, err = f.s.Move(f.ctx(), f.copyRequest(u, u.trash, uids, u.inbox))
				case 5:
					_, err = f.s.Append(f.ctx(), batch(item(u, u.inbox), item(u, u.trash)))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	f.must(g.Wait())
	done.Store(true)
	f.must(follower.Wait())
	f.must(follow())
	_, msgs = f.load(u.inbox)
	for _, m := range msgs {
		if view[m.UID] != m {
			f.Fatalf("the follower has %s, stored is %s", text(view[m.UID]), text(m))
		}
	}
	Check(f.ctx(), f, f.s, u.id)
}

// testConcurrentMoves moves messages back and forth between two accounts: locks in both directions, nothing lost.
func testConcurrentMoves(f *fixture) {
	a, b := f.user(), f.user()
	f.fill(a, a.inbox, 10, nil)
	f.fill(b, b.inbox, 10, nil)
	var g errgroup.Group
	for w := range 4 {
		from, to := a, b
		if w%2 == 1 {
			from, to = b, a
		}
		g.Go(func() error {
			for range 8 {
				_, msgs, err := f.s.LoadMailbox(f.ctx(), from.inbox)
				if err != nil || len(msgs) == 0 {
					return err
				}
				req := f.copyRequest(from, from.inbox, set(msgs[0].UID, msgs[0].UID+1), to.inbox)
				req.DestAccount = to.id
				if _, err := f.s.Move(f.ctx(), req); err != nil {
					return err
				}
			}
			return nil
		})
	}
	f.must(g.Wait())
	boxA, _ := f.load(a.inbox)
	boxB, _ := f.load(b.inbox)
	if boxA.Messages+boxB.Messages != 20 {
		f.Fatalf("%d and %d messages", boxA.Messages, boxB.Messages)
	}
	Check(f.ctx(), f, f.s, a.id)
	Check(f.ctx(), f, f.s, b.id)
}

// testConcurrentCreateAccounts creates the same addresses at once: each has one owner.
func testConcurrentCreateAccounts(f *fixture) {
	const n, writers = 20, 6
	addresses := make([]string, n)
	for i := range addresses {
		u, _ := newUser()
		addresses[i] = u.address
	}
	var g errgroup.Group
	var created atomic.Int64
	for w := range writers {
		g.Go(func() error {
			accounts := make([]metadata.NewAccount, n)
			for i := range accounts {
				_, accounts[i] = newUser()
				accounts[i].Address = addresses[(i*(w%2*2-1)+n)%n] // half of them in the opposite order
			}
			errs, err := f.s.CreateAccounts(f.ctx(), accounts)
			for _, err := range errs {
				if err == nil {
					created.Add(1)
				} else if !mailerr.Is(err, mailerr.Exists) {
					f.Error(err)
				}
			}
			return err
		})
	}
	f.must(g.Wait())
	if created.Load() != n {
		f.Fatalf("%d accounts were created for %d addresses", created.Load(), n)
	}
	found, err := f.s.LookupAddresses(f.ctx(), addresses)
	f.must(err)
	for _, a := range addresses {
		if found[a].Account == nil {
			f.Fatalf("%s leads nowhere", a)
		}
		Check(f.ctx(), f, f.s, found[a].Account.ID)
	}
}
