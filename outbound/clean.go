package outbound

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	countEvery = 30 * time.Second
	cleanEvery = 10 * time.Minute
	cleanBatch = 1000
)

// clean counts the queue for metrics, and removes what is remembered no longer: ended items, and handles of Sieve scripts.
func (q *Queue) clean() {
	count := time.NewTicker(countEvery)
	defer count.Stop()
	next := time.NewTimer(jitter(cleanEvery))
	defer next.Stop()
	for {
		q.count()
		select {
		case <-q.feeding.Done():
			return
		case <-count.C:
		case <-next.C:
			q.expire("outbound items", q.meta.ExpireOutbound)
			q.expire("handles", q.meta.ExpireHandles)
			next.Reset(jitter(cleanEvery))
		}
	}
}

func (q *Queue) count() {
	waiting, oldest, err := q.meta.OutboundCounts(q.feeding)
	if err != nil {
		return // the feeder says so
	}
	q.metrics.waiting.Set(float64(waiting))
	q.metrics.oldest.Set(oldest.Seconds())
}

func (q *Queue) expire(what string, some func(context.Context, int) (int, error)) {
	total := 0
	for {
		n, err := some(q.feeding, cleanBatch)
		if err != nil {
			if q.feeding.Err() == nil {
				q.cfg.Log.Warn("old rows were not removed", "of", what, "error", err)
			}
			return
		}
		if total += n; n == 0 {
			break
		}
	}
	if total > 0 {
		q.cfg.Log.Debug("old rows removed", "of", what, "rows", total)
	}
}

// jitter keeps nodes and items from doing things at the same moment: d, up to a fifth more or less.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + time.Duration(rand.Int64N(int64(d)*2/5+1))
}
