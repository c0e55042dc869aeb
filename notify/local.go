package notify

import "context"

var _ Notifier = (*Local)(nil)

// Local is the Notifier of a single node: hints are delivered in the caller's goroutine, and always.
type Local struct{ router Router }

// NewLocal returns a Notifier within this process.
func NewLocal() *Local { return &Local{} }

// Publish calls the subscriptions of each hint's account.
func (l *Local) Publish(_ context.Context, hints ...Hint) { l.router.Deliver(hints...) }

// Subscribe calls fn for every hint of the account until the subscription is closed.
func (l *Local) Subscribe(account [16]byte, fn func(Hint)) Subscription {
	return l.router.Subscribe(account, fn, nil, nil)
}

// Healthy is always true.
func (l *Local) Healthy() bool { return true }

// OnRecover does nothing: there is nothing to recover from.
func (l *Local) OnRecover(func()) {}

// Close ends all subscriptions.
func (l *Local) Close() error {
	l.router.Close()
	return nil
}
