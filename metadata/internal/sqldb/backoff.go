package sqldb

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff waits between tries: from First, doubling up to Max, each wait shortened at random by up to half. For one
// goroutine.
type Backoff struct {
	First, Max time.Duration
	next       time.Duration
}

// Wait waits, or returns ctx's error when ctx ends first.
func (b *Backoff) Wait(ctx context.Context) error {
	if b.next == 0 {
		b.next = b.First
	}
	d := b.next/2 + rand.N(b.next/2+1)
	b.next = min(2*b.next, b.Max)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
