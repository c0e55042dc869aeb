package pop3d

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// lease is the exclusive use of one maildrop. A goroutine renews it until release.
type lease struct {
	store  metadata.LeaseStore
	name   string
	holder string
	ttl    time.Duration
	log    *slog.Logger
	onLost func()
	cancel context.CancelFunc
	ended  chan struct{} // closed when the goroutine has ended
}

// acquireLease takes the maildrop for holder. onLost is called, once, when it can no longer be relied on. InUse, Unavailable.
func acquireLease(ctx context.Context, l lease) (*lease, error) {
	asked := time.Now()
	if err := l.store.AcquireLease(ctx, l.name, l.holder, l.ttl); err != nil {
		if !mailerr.Is(err, mailerr.InUse) {
			l.giveUp() // it may have been taken without our hearing of it
		}
		return nil, err
	}
	renewing, cancel := context.WithCancel(context.Background())
	l.cancel, l.ended = cancel, make(chan struct{})
	go l.keep(renewing, asked.Add(l.ttl))
	return &l, nil
}

// keep renews the lease at a third of its time. until is when the database may give it to somebody else, by a clock that
// started before it was asked.
func (l *lease) keep(ctx context.Context, until time.Time) {
	defer close(l.ended)
	defer func() {
		if v := recover(); v != nil {
			l.log.Error("pop3 panic", "panic", v, "stack", string(debug.Stack()))
			l.onLost()
		}
	}()
	wait := time.NewTimer(l.ttl / 3)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		asked := time.Now()
		err := l.renew(ctx, until)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			until = asked.Add(l.ttl)
			wait.Reset(l.ttl / 3)
			continue
		case mailerr.Is(err, mailerr.InUse) || time.Until(until) < l.ttl/6:
			l.log.Error("pop3 lease lost", "error", err)
			l.onLost()
			return
		}
		wait.Reset(min(l.ttl/10, max(0, time.Until(until)-l.ttl/6)))
	}
}

// renew asks for more time, and waits for the answer while the lease is ours.
func (l *lease) renew(ctx context.Context, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until.Add(-l.ttl/6))
	defer cancel()
	return l.store.RenewLease(ctx, l.name, l.holder, l.ttl)
}

// confirm makes sure that the lease is held now, and for its whole time from now on.
func (l *lease) confirm(ctx context.Context) error {
	return l.store.RenewLease(ctx, l.name, l.holder, l.ttl)
}

// release ends the goroutine and gives the lease back.
func (l *lease) release() {
	l.cancel()
	<-l.ended
	l.giveUp()
}

// giveUp tells the database, whatever has become of the session. If that fails the lease ends by itself.
func (l *lease) giveUp() {
	ctx, cancel := context.WithTimeout(context.Background(), min(l.ttl, 5*time.Second))
	defer cancel()
	if err := l.store.ReleaseLease(ctx, l.name, l.holder); err != nil {
		l.log.Warn("pop3 lease not released", "error", err)
	}
}
