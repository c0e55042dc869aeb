package mailstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// Recipient is one mailbox a message is delivered to.
type Recipient struct {
	Account metadata.AccountID
	// zero: a new one. One that is in the mailbox, or was: nothing is stored, the answer is its UID.
	Body metadata.BodyID
	// "": INBOX. One that does not exist: INBOX (mail is never bounced for a missing mailbox). So is one of a shared account whose
	// ACL does not give RightPost to all of its domain.
	Mailbox      string
	MailboxID    metadata.MailboxID // not zero: this one, in place of Mailbox
	Shared       *Destination       // not nil: this one, in place of Mailbox; INBOX if it has gone or its owner has no room
	Prefix       []byte             // header lines with CRLF put before the message for this recipient
	Flags        metadata.Flags
	Keywords     []string  // those that are no keywords are passed over
	InternalDate time.Time // zero: now

	ignoreQuota bool // for messages of our own
}

// Delivered is what became of one Recipient. Err: NotFound (account gone), OverQuota, Unavailable, Internal.
type Delivered struct {
	UID         metadata.UID
	UIDValidity metadata.UIDValidity
	Err         error
	Instead     error // why the message is in INBOX and not in Recipient.Shared: NotFound, OverQuota
}

// lookupsAtOnce is how many mailboxes are looked up at once for one message.
const lookupsAtOnce = 4

// Deliver stores the message once for all recipients and answers for each by index. It returns when the message is durable
// or has failed, for each recipient. It waits for its lanes however long storage takes, bounded by ctx; a context that ends
// gives Unavailable, and the message may then have been delivered.
func (s *Store) Deliver(ctx context.Context, st *Staged, rcpts []Recipient) []Delivered {
	const op = "mailstore.Deliver"
	out := make([]Delivered, len(rcpts))
	now := s.now()
	items := make([]*item, len(rcpts))
	var lookups errgroup.Group
	lookups.SetLimit(lookupsAtOnce)
	resolve := func(i int) {
		id, err := s.deliveryMailbox(ctx, rcpts[i].Account, rcpts[i].Mailbox)
		if err != nil {
			out[i].Err = wrap(op, err)
			return
		}
		items[i] = st.newItem(now, &rcpts[i], id)
	}
	rcpts = s.withoutFull(rcpts, out)
	for i := range rcpts {
		if rcpts[i].Shared != nil {
			items[i] = st.newSharedItem(now, &rcpts[i])
		} else if rcpts[i].MailboxID != (metadata.MailboxID{}) {
			items[i] = st.newItem(now, &rcpts[i], rcpts[i].MailboxID)
		} else if id, ok := s.inboxes.get(rcpts[i].Account); ok && isInbox(rcpts[i].Mailbox) {
			items[i] = st.newItem(now, &rcpts[i], id)
		} else {
			lookups.Go(func() error { resolve(i); return nil })
		}
	}
	_ = lookups.Wait() // the errors are in out
	for i, it := range items {
		switch {
		case it == nil:
		case !it.noQuota && s.domainIsFull(it.account):
			items[i], out[i].Err = nil, errDomainFull(op)
		case rcpts[i].Shared == nil: // into others' mailboxes it is as with APPEND
			it.grace = s.cfg.QuotaGrace
		}
	}

	todo := make([]int, 0, len(items)) // indexes into rcpts of what is submitted
	d := &delivery{staged: st}
	for i, it := range items {
		if it != nil {
			todo = append(todo, i)
			d.items = append(d.items, it)
		}
	}
	if len(d.items) == 0 {
		st.Discard()
		s.metrics.answered(out)
		return out
	}
	d.shareBodies()
	s.store(ctx, d)
	// A mailbox may go between look-up and commit. The body is stored by then; only rows are written again.
	for range 2 {
		again := &delivery{}
		var which []int
		for k, i := range todo {
			res := d.result(k)
			out[i].UID, out[i].UIDValidity, out[i].Err = res.UID, res.UIDValidity, res.Err
			it, err := s.elsewhere(ctx, d.items[k], &rcpts[i], res.Err)
			if err != nil {
				out[i].Err = wrap(op, err)
			}
			if it == nil {
				continue
			}
			if it.account != d.items[k].account {
				out[i].Instead = wrap(op, res.Err)
			}
			again.items = append(again.items, it)
			which = append(which, i)
		}
		if len(which) == 0 {
			break
		}
		d, todo = again, which
		s.lanes.commit(ctx, d)
		for k, i := range todo {
			res := d.result(k)
			out[i].UID, out[i].UIDValidity, out[i].Err = res.UID, res.UIDValidity, res.Err
		}
	}
	s.metrics.answered(out)
	return out
}

// withoutFull returns recipients with INBOX for the mailboxes of others whose domains are full, and says so in out.
func (s *Store) withoutFull(rcpts []Recipient, out []Delivered) []Recipient {
	copied := false
	for i := range rcpts {
		if to := rcpts[i].Shared; to == nil || !s.domainIsFull(to.owner) {
			continue
		}
		if !copied {
			rcpts, copied = slices.Clone(rcpts), true
		}
		r := &rcpts[i]
		r.Shared, r.MailboxID, r.Mailbox = nil, metadata.MailboxID{}, inboxName
		out[i].Instead = errDomainFull("mailstore.Deliver")
	}
	return rcpts
}

// elsewhere returns the item that puts a message into INBOX that was refused because its mailbox has gone since it was looked up,
// or because it is somebody else's and has no room; nil when that is not why, or INBOX itself has gone.
func (s *Store) elsewhere(ctx context.Context, refused *item, r *Recipient, cause error) (*item, error) {
	shared := refused.account != r.Account
	if !refused.stored || !mailerr.Is(cause, mailerr.NotFound) && !(shared && mailerr.Is(cause, mailerr.OverQuota)) {
		return nil, nil
	}
	s.inboxes.drop(r.Account)
	id, err := s.deliveryMailbox(ctx, r.Account, inboxName)
	if err != nil || id == refused.mailbox {
		return nil, err
	}
	it := *refused
	it.mailbox = id
	if shared {
		it.account, it.body.Account, it.grace = r.Account, r.Account, s.cfg.QuotaGrace
		it.flags, it.keywords = r.Flags, joinKeywords(r.Keywords)
	}
	return &it, nil
}

// store makes the body durable and its items exist, and waits for that. It ends the Staged.
func (s *Store) store(ctx context.Context, d *delivery) {
	if d.staged.durable {
		d.locate(d.staged.packRow, d.staged.loc)
		d.staged.release()
		s.lanes.commit(ctx, d)
		return
	}
	if d.staged.upload != nil {
		if !s.commitUpload(ctx, d) {
			return
		}
		s.lanes.commit(ctx, d)
		return
	}
	s.lanes.pack(ctx, d)
}

// commitUpload ends a streamed pack. This is the caller's work, not a lane's: it may take long, and ends with its context.
func (s *Store) commitUpload(ctx context.Context, d *delivery) bool {
	st := d.staged
	defer st.release()
	stop := context.AfterFunc(ctx, st.cancel)
	defer stop()
	loc, size, err := st.upload.Commit(ctx, d.entries()...)
	if err != nil {
		s.metrics.packs.WithLabelValues("failed").Inc()
		d.fail(wrap("mailstore.Deliver", mailerr.Wrap("blobstore.Commit", mailerr.Unavailable, err)))
		return false
	}
	s.metrics.packs.WithLabelValues("stored").Inc()
	d.locate(metadata.Pack{ID: st.pack, Size: size, Bodies: 1, Created: s.now()}, loc)
	return true
}

// deliveryMailbox returns the mailbox a delivery goes to: the named one or, where that is not there, INBOX. Only INBOX's id
// may be remembered: any other name may stand for another mailbox after a rename on another node.
func (s *Store) deliveryMailbox(ctx context.Context, account metadata.AccountID, name string) (metadata.MailboxID, error) {
	if !isInbox(name) {
		if canonical, err := canonicalName(name); err == nil {
			m, serves, err := s.meta.MailboxForPost(ctx, account, canonical)
			// Into a shared mailbox anybody may write who may by its ACL (RFC 4314 section 2.1, "p"); one's own need nothing.
			if err == nil && (serves == "" || m.ACL.Rights("@"+serves).Has(metadata.RightPost)) {
				return m.ID, nil
			}
			if err != nil && !mailerr.Is(err, mailerr.NotFound) {
				return metadata.MailboxID{}, err
			}
		}
	}
	if id, ok := s.inboxes.get(account); ok {
		return id, nil
	}
	m, err := s.meta.Mailbox(ctx, account, inboxName)
	if err != nil {
		return metadata.MailboxID{}, err
	}
	s.inboxes.put(account, m.ID)
	return m.ID, nil
}

// inboxCacheSize bounds the accounts whose INBOX's id is remembered: 48 bytes each.
const inboxCacheSize = 100_000

// inboxCache remembers the ids of INBOXes. An INBOX keeps its id as long as its account lives; a commit that answers
// NotFound shows that the account has gone.
type inboxCache struct {
	mu  sync.RWMutex
	ids map[metadata.AccountID]metadata.MailboxID // guarded by mu
}

func newInboxCache() *inboxCache {
	return &inboxCache{ids: make(map[metadata.AccountID]metadata.MailboxID)}
}

func (c *inboxCache) get(account metadata.AccountID) (metadata.MailboxID, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok := c.ids[account]
	return id, ok
}

func (c *inboxCache) put(account metadata.AccountID, id metadata.MailboxID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) >= inboxCacheSize {
		for victim := range c.ids { // any will do
			delete(c.ids, victim)
			break
		}
	}
	c.ids[account] = id
}

func (c *inboxCache) drop(account metadata.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ids, account)
}
