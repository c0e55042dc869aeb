package mailstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// errGaveUp answers for an item whose caller's context ended first.
var errGaveUp = errors.New("the caller stopped waiting")

// item is one message that is to become visible in one mailbox. Written by its maker before it is submitted, by the lanes
// while they have it.
type item struct {
	delivery *delivery
	index    int // in delivery.items
	account  metadata.AccountID
	mailbox  metadata.MailboxID
	body     metadata.Body // without location until the pack is stored
	links    []metadata.ThreadLink
	named    bool // body.ID is the caller's choice
	pack     metadata.Pack
	flags    metadata.Flags
	keywords string
	internal time.Time
	save     time.Time
	stored   bool  // the body is durable
	grace    int64 // percent of the account's limits by which it may exceed them
	noQuota  bool  // it is stored whatever the limits, and warned of by nobody
}

// delivery is one body and the items that share it.
type delivery struct {
	staged *Staged
	items  []*item
	// onSettled, if set, is called when the last result is there. Set before anybody else sees the delivery.
	onSettled func()
	// keepOnly: the body is to be durable and nothing more; the items' results then have no UID. Set like onSettled.
	keepOnly bool

	mu        sync.Mutex
	results   []metadata.AppendResult // guarded by mu
	settled   []bool                  // guarded by mu
	missing   int                     // guarded by mu: results not there yet
	abandoned bool                    // guarded by mu: nobody waits any more
	done      chan struct{}           // closed when missing is 0
}

// newItem makes the item of one recipient.
func (st *Staged) newItem(now time.Time, r *Recipient, mailbox metadata.MailboxID) *item {
	internal := r.InternalDate
	if internal.IsZero() {
		internal = now
	}
	id := r.Body
	if id == (metadata.BodyID{}) {
		id = metadata.NewBodyID(now)
	}
	return &item{
		noQuota: r.ignoreQuota,
		account: r.Account,
		mailbox: mailbox,
		body: metadata.Body{
			Account: r.Account,
			ID:      id,
			Stored:  st.size,
			Prefix:  r.Prefix,
			Hash:    st.hash,
			Summary: st.summary,
		},
		links:    st.links,
		named:    r.Body != metadata.BodyID{},
		flags:    r.Flags,
		keywords: joinKeywords(r.Keywords),
		internal: internal.UTC().Truncate(time.Microsecond),
		save:     now,
	}
}

// newSharedItem makes the item of one recipient whose message goes into somebody else's mailbox.
func (st *Staged) newSharedItem(now time.Time, r *Recipient) *item {
	theirs := *r
	theirs.Account = r.Shared.owner
	theirs.Flags, theirs.Keywords = permitted(r.Shared.rights, r.Flags, r.Keywords)
	return st.newItem(now, &theirs, r.Shared.mailbox)
}

// shareBodies lets the items of one account that have the same prefix share one body row: one message in several mailboxes.
func (d *delivery) shareBodies() {
	if len(d.items) < 2 && !d.staged.durable {
		return
	}
	type key struct {
		account metadata.AccountID
		prefix  string
	}
	type place struct {
		body    metadata.BodyID
		mailbox metadata.MailboxID
	}
	first := make(map[key]metadata.BodyID, len(d.items))
	taken := make(map[place]bool, len(d.items)) // a body has one message in a mailbox
	for _, it := range d.items {
		k := key{it.account, string(it.body.Prefix)}
		if id, ok := first[k]; ok && !taken[place{id, it.mailbox}] {
			it.body.ID = id
		} else if !ok {
			if !it.named {
				it.body.ID = d.staged.bodyID(it.account, it.body.ID)
			}
			first[k] = it.body.ID
		}
		taken[place{it.body.ID, it.mailbox}] = true
	}
}

// begin readies d for its results. Called once, before anybody else sees d.
func (d *delivery) begin() {
	d.results = make([]metadata.AppendResult, len(d.items))
	d.settled = make([]bool, len(d.items))
	d.missing = len(d.items)
	d.done = make(chan struct{})
	for i, it := range d.items {
		it.delivery, it.index = d, i
	}
}

// entries describes the owners of the body for the pack's footer.
func (d *delivery) entries() []blobstore.Entry {
	entries := make([]blobstore.Entry, len(d.items))
	for i, it := range d.items {
		entries[i] = blobstore.Entry{
			Body:         blobstore.BodyID(it.body.ID),
			Account:      blobstore.OwnerID(it.account),
			Mailbox:      blobstore.OwnerID(it.mailbox),
			InternalDate: it.internal,
			Prefix:       it.body.Prefix,
		}
	}
	return entries
}

// locate records where the body is, now that it is durable.
func (d *delivery) locate(pack metadata.Pack, loc blobstore.Location) {
	for _, it := range d.items {
		it.stored = true
		it.pack = pack
		it.body.Pack = metadata.PackID(loc.Pack)
		it.body.Offset, it.body.Length, it.body.Frames = loc.Offset, loc.Length, loc.Frames
	}
}

// settle gives one item its result; the first one counts.
func (it *item) settle(res metadata.AppendResult) {
	if d := it.delivery; d.settle(it.index, res) && d.onSettled != nil {
		d.onSettled()
	}
}

// settle reports whether this was the last result.
func (d *delivery) settle(i int, res metadata.AppendResult) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settled[i] {
		return false
	}
	d.settled[i] = true
	d.results[i] = res
	if d.missing--; d.missing > 0 {
		return false
	}
	close(d.done)
	return true
}

// fail gives err to every item that has no result. Also for a delivery that was never submitted.
func (d *delivery) fail(err error) {
	if d.done == nil {
		d.begin()
	}
	for _, it := range d.items {
		it.settle(metadata.AppendResult{Err: err})
	}
}

// wait returns when every item has its result or ctx ends.
func (d *delivery) wait(ctx context.Context) {
	select {
	case <-d.done:
	case <-ctx.Done():
		d.abandon()
	}
}

// abandon says that nobody waits any more.
func (d *delivery) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.abandoned = true
}

// settleKept answers for a delivery with keepOnly whose body is durable.
func (d *delivery) settleKept() {
	for _, it := range d.items {
		it.settle(metadata.AppendResult{})
	}
}

// isAbandoned reports whether nobody waits for d. What was not begun then need not be: its sender was told to try again.
func (d *delivery) isAbandoned() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.abandoned
}

// result returns an item's result, Unavailable while it has none.
func (d *delivery) result(i int) metadata.AppendResult {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.settled[i] {
		return metadata.AppendResult{Err: mailerr.Wrap("mailstore.Deliver", mailerr.Unavailable, errGaveUp)}
	}
	return d.results[i]
}
