package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

var errLeaseLost = errors.New("outbound: the lease was lost")

// idleConnection is how long a worker keeps a connection for the next item.
const idleConnection = 5 * time.Second

// work makes attempts, one after another, over a connection that is kept while there is something to send.
func (q *Queue) work() {
	var c *client
	defer func() { c.quit() }()
	idle := time.NewTimer(idleConnection)
	defer idle.Stop()
	for {
		idle.Reset(idleConnection)
		select {
		case it, ok := <-q.jobs:
			if !ok {
				return
			}
			c = q.attempt(c, it)
		case <-idle.C:
			c.quit()
			c = nil
		}
	}
}

// attempt sends one item and records what came of it. It returns the connection if it can be used again.
func (q *Queue) attempt(c *client, it *metadata.OutboundItem) *client {
	ctx, cancel := context.WithTimeout(q.sending, q.cfg.Attempt)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	q.hold(it.ID, end)
	defer q.release(it.ID)

	log := q.cfg.Log.With("item", it.ID.String(), "kind", it.Kind, "account", it.Account.String(), "attempt", it.Attempts)
	c, answer, err := q.send(ctx, c, it)
	if errors.Is(context.Cause(ctx), errLeaseLost) {
		log.Warn("an attempt was given up, its lease was lost")
		c.quit()
		return nil
	}
	result := q.judge(ctx, it, err)
	switch result.State {
	case metadata.OutboundSent:
		log.Info("sent", "answer", answer)
		q.metrics.attempts.WithLabelValues("sent").Inc()
	case metadata.OutboundWaiting:
		log.Info("not sent yet", "error", err, "next", result.Delay)
		q.metrics.attempts.WithLabelValues("retry").Inc()
	default:
		log.Warn("not sent", "error", err)
		q.metrics.attempts.WithLabelValues("failed").Inc()
	}
	q.finish(result)
	return c
}

// finish records a result. A message that was sent would be sent again without it, so this is worth patience.
func (q *Queue) finish(result metadata.OutboundResult) {
	wait := 100 * time.Millisecond
	for {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(q.sending), max(lastWord, q.cfg.Lease/4))
		err := q.meta.FinishOutbound(ctx, q.holder, []metadata.OutboundResult{result})
		cancel()
		if err == nil {
			return
		}
		q.cfg.Log.Error("the result of an attempt was not recorded", "item", result.ID.String(), "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
			wait = min(2*wait, 5*time.Second)
		case <-q.sending.Done():
			t.Stop()
			return
		}
	}
}

// judge says what an attempt came to.
func (q *Queue) judge(ctx context.Context, it *metadata.OutboundItem, err error) metadata.OutboundResult {
	r := metadata.OutboundResult{ID: it.ID, State: metadata.OutboundSent, Delay: q.cfg.Remember}
	if err == nil {
		return r
	}
	r.Error = err.Error()
	var no *refusal
	permanent := errors.As(err, &no) && no.permanent
	switch {
	case !permanent && q.sending.Err() != nil: // the node stops: another one goes on at once
		r.State, r.Delay = metadata.OutboundWaiting, 0
	case !permanent && q.cfg.Now().Sub(it.Created) < q.cfg.MaxAge:
		r.State, r.Delay = metadata.OutboundWaiting, q.backoff(it.Attempts)
	default:
		r.State = metadata.OutboundFailed
		if b, ok := q.bounce(ctx, it, no, r.Error); ok {
			r.Then = []metadata.Enqueue{b}
		}
	}
	return r
}

// backoff returns how long to wait after an attempt.
func (q *Queue) backoff(attempts int) time.Duration {
	d := q.cfg.FirstRetry
	for range min(max(attempts-1, 0), 30) {
		if d *= 2; d >= q.cfg.MaxRetry {
			break
		}
	}
	return jitter(min(d, q.cfg.MaxRetry))
}
