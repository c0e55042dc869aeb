package notify

import "context"

// Hint says that a mailbox changed.
type Hint struct {
	Account [16]byte // all zero: something that all accounts see changed
	Mailbox [16]byte // all zero: the account's list of mailboxes changed
	ModSeq  uint64   // the MODSEQ it reached
}

// Notifier carries hints. Methods may be called concurrently.
type Notifier interface {
	// Publish sends hints to all nodes, this one included. It does not wait for a network for longer than ctx allows and
	// never fails the caller: trouble is logged once and shows in Healthy.
	Publish(ctx context.Context, hints ...Hint)
	// Subscribe calls fn for every hint of the account until the subscription is closed. fn must not block and must not call
	// back into the Notifier. Several subscriptions of one account share one channel.
	Subscribe(account [16]byte, fn func(Hint)) Subscription
	// Healthy reports whether hints are expected to arrive. While it is false, callers poll.
	Healthy() bool
	// OnRecover calls fn each time hints flow again after they did not: what was missed meanwhile must be looked up now.
	OnRecover(fn func())
	Close() error
}

// Subscription is one Subscribe.
type Subscription interface{ Close() }
