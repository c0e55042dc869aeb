package metadata

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"
)

// OutboundID names an item of the outbound queue. Chosen by who enqueues, from what makes the item what it is: then an item
// enqueued again, by a delivery that is tried again, is recognised.
type OutboundID [16]byte

// String returns the id in hexadecimal.
func (id OutboundID) String() string { return hex.EncodeToString(id[:]) }

// ParseOutboundID reads the form String writes.
func ParseOutboundID(s string) (OutboundID, error) {
	id, err := parseID(s)
	if err != nil {
		return OutboundID{}, fmt.Errorf("%q is not an id of the queue", s)
	}
	return OutboundID(id), nil
}

// NewOutboundID returns a random id.
func NewOutboundID() OutboundID { return OutboundID(randomID()) }

// OutboundKind says what an item is. Stored: never change one.
type OutboundKind string

// The kinds.
const (
	OutboundRedirect OutboundKind = "redirect"
	OutboundVacation OutboundKind = "vacation"
	OutboundNotify   OutboundKind = "notify"
	OutboundReject   OutboundKind = "reject"
	OutboundBounce   OutboundKind = "bounce" // a delivery status notification for one of the others
)

// OutboundState is what became of an item. Stored: never change one.
type OutboundState int64

// The states. Items that are not Waiting have no body any more and go after some time.
const (
	OutboundWaiting OutboundState = iota
	OutboundSent
	OutboundFailed  // refused for good, or too old
	OutboundDropped // by an administrator
)

// OutboundBody is a message to be sent: Prefix, then bytes in frames as a pack has them, which are either in the row (Data) or
// in a pack. Frames is as in Body.
type OutboundBody struct {
	Prefix []byte
	Data   []byte // at most MaxOutboundData; empty: the bytes are in Pack
	Pack   PackID
	Offset int64
	Length int64
	Frames []byte
	Stored int64 // raw bytes without Prefix
}

// MaxOutboundData is the most bytes of a body that may be in an item's row.
const MaxOutboundData = 256 << 10

// InPack reports whether the bytes are in a pack.
func (b *OutboundBody) InPack() bool { return b.Pack != PackID{} }

// OutboundItem is one message to one recipient.
type OutboundItem struct {
	ID      OutboundID
	Account AccountID // on whose behalf
	Kind    OutboundKind
	From    string // "": the null return path
	To      string
	Body    OutboundBody

	// Set by the queue:
	State     OutboundState
	Created   time.Time
	Next      time.Time // of the next attempt, or until when it is leased; not Waiting: when it goes
	Attempts  int       // begun
	LastError string
	Holder    string // who has it leased, "" nobody
}

// Enqueue is an item to be put into the queue. With Once it is only if the account did not use that handle within its TTL:
// RFC 5230's one response, decided in the transaction that stores the item.
type Enqueue struct {
	Item OutboundItem
	Pack *Pack // the row of Item.Body.Pack if it may not be there yet
	Once *HandleUse
}

// OutboundResult is what an attempt came to.
type OutboundResult struct {
	ID    OutboundID
	State OutboundState // Waiting: to be tried again after Delay
	Delay time.Duration // not Waiting: how long the item is remembered
	Error string        // what the server said; "" for Sent
	Then  []Enqueue     // put into the queue in the same transaction, such as a bounce
}

// OutboundStore is the queue of messages that leave by SMTP. Durable: what Enqueue returned for is sent, by any node, or
// fails with a trace. Time is the database's.
type OutboundStore interface {
	// Enqueue stores items in one transaction; after it returned nil every node may die. queued[i] is false for an item whose
	// id is there, in whatever state, and for one whose handle was used: nothing is sent twice. TooBig for a body beyond
	// MaxOutboundData, Invalid.
	Enqueue(ctx context.Context, items []Enqueue) (queued []bool, err error)
	// ClaimOutbound leases about limit items that are due, to holder for ttl; it takes evenly from several lists, so that it may
	// return fewer while more are due. What a holder does not end becomes due again.
	ClaimOutbound(ctx context.Context, holder string, ttl time.Duration, limit int) ([]OutboundItem, error)
	// RenewOutbound extends leases and returns those of ids that holder still has.
	RenewOutbound(ctx context.Context, holder string, ttl time.Duration, ids []OutboundID) ([]OutboundID, error)
	// FinishOutbound ends attempts; a result for an item that holder has lost does nothing, its Then included.
	FinishOutbound(ctx context.Context, holder string, results []OutboundResult) error
	// Outbound returns up to limit items in the order of their ids, after the given one, without the bytes of their bodies;
	// those that are not Waiting only if all are asked for.
	Outbound(ctx context.Context, q OutboundQuery) ([]OutboundItem, error)
	// RetryOutbound makes items due now that wait for their time. It returns how many.
	RetryOutbound(ctx context.Context, ids []OutboundID) (int, error)
	// DropOutbound ends waiting items unsent, also leased ones. It returns how many.
	DropOutbound(ctx context.Context, ids []OutboundID, remember time.Duration) (int, error)
	// OutboundCounts returns how many items wait, and how long the oldest has; counting ends at a bound of 100,000.
	OutboundCounts(ctx context.Context) (waiting int64, oldest time.Duration, err error)
	// ExpireOutbound removes up to limit ended items whose time is over and returns how many it did.
	ExpireOutbound(ctx context.Context, limit int) (int, error)
	// OutboundPacks returns which of the packs hold the body of a waiting item: they may neither be deleted nor compacted.
	OutboundPacks(ctx context.Context, packs []PackID) ([]PackID, error)
}

// OutboundQuery selects items.
type OutboundQuery struct {
	After OutboundID // the zero id: from the start
	Limit int
	All   bool // also those that are not Waiting
}
