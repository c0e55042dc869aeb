package outbound

import (
	"context"
	"sync"
	"time"

	"github.com/rookery-mail/rookery/metadata"
)

// Queue is a node's part in the queue: it enqueues, and its workers send.
type Queue struct {
	cfg     Config
	meta    metadata.Store
	metrics *metrics
	holder  string // this process, for leases

	wake chan struct{}               // holds one token: look at the queue now
	jobs chan *metadata.OutboundItem // from the feeder to the workers

	feeding context.Context // ends when nothing more is to be begun
	stop    context.CancelFunc
	sending context.Context // ends when what was begun is to be given up
	abandon context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	held map[metadata.OutboundID]context.CancelCauseFunc // guarded by mu: leased by this node; ends the attempt
}

// New starts a Queue.
func New(cfg Config) (*Queue, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	q := &Queue{
		cfg: cfg, meta: cfg.Metadata, holder: metadata.NewOutboundID().String(),
		wake: make(chan struct{}, 1), jobs: make(chan *metadata.OutboundItem),
		held: map[metadata.OutboundID]context.CancelCauseFunc{},
	}
	if q.metrics, err = newMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	q.feeding, q.stop = context.WithCancel(context.Background())
	q.sending, q.abandon = context.WithCancel(context.Background())
	q.running.Go(q.clean)
	if cfg.Submission != nil {
		var workers sync.WaitGroup
		for range cfg.Workers {
			workers.Go(q.work)
		}
		ended := make(chan struct{})
		q.running.Go(func() { workers.Wait(); close(ended) })
		q.running.Go(q.feed)
		q.running.Go(func() { q.renew(ended) })
	}
	return q, nil
}

// Sends reports whether there is a submission server.
func (q *Queue) Sends() bool { return q.cfg.Submission != nil }

// Enqueue puts items into the queue, see metadata.OutboundStore. After it returned nil they are durable.
func (q *Queue) Enqueue(ctx context.Context, items []metadata.Enqueue) (queued []bool, err error) {
	queued, err = q.meta.Enqueue(ctx, items)
	if err != nil {
		return nil, err
	}
	for i, yes := range queued {
		if yes {
			q.metrics.enqueued.WithLabelValues(string(items[i].Item.Kind)).Inc()
		}
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return queued, nil
}

// Close begins no more attempts, gives those under way until ctx ends, and returns the leases of the rest.
func (q *Queue) Close(ctx context.Context) error {
	q.stop()
	ended := make(chan struct{})
	go func() { q.running.Wait(); close(ended) }()
	select {
	case <-ended:
		q.abandon()
		return nil
	case <-ctx.Done():
	}
	q.abandon()
	<-ended // every wait of an attempt ends with sending, but for the last word to the database, which is bounded
	return ctx.Err()
}

// feed leases what is due and hands it to the workers.
func (q *Queue) feed() {
	defer close(q.jobs)
	tick := time.NewTicker(q.cfg.Poll)
	defer tick.Stop()
	for {
		more := q.feedOnce()
		if more {
			if q.feeding.Err() != nil {
				return
			}
			continue
		}
		select {
		case <-q.feeding.Done():
			return
		case <-q.wake:
		case <-tick.C:
		}
	}
}

// feedOnce reports whether there may be more that is due.
func (q *Queue) feedOnce() bool {
	items, err := q.meta.ClaimOutbound(q.feeding, q.holder, q.cfg.Lease, q.cfg.Workers)
	if err != nil {
		if q.feeding.Err() == nil {
			q.cfg.Log.Warn("the outbound queue cannot be read", "error", err)
		}
		return false
	}
	for i := range items {
		q.hold(items[i].ID, func(error) {})
	}
	for i := range items {
		select {
		case q.jobs <- &items[i]:
		case <-q.feeding.Done():
			q.giveBack(items[i:])
			return false
		}
	}
	return len(items) > 0
}

// giveBack makes items that were not begun due at once for other nodes.
func (q *Queue) giveBack(items []metadata.OutboundItem) {
	results := make([]metadata.OutboundResult, len(items))
	for i := range items {
		results[i] = metadata.OutboundResult{ID: items[i].ID, Error: items[i].LastError}
		q.release(items[i].ID)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.feeding), lastWord)
	defer cancel()
	if err := q.meta.FinishOutbound(ctx, q.holder, results); err != nil {
		q.cfg.Log.Warn("the leases of outbound items run out by themselves", "items", len(items), "error", err)
	}
}

// lastWord bounds telling the database what came of an attempt when the node stops.
const lastWord = 5 * time.Second

func (q *Queue) hold(id metadata.OutboundID, end context.CancelCauseFunc) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[id] = end
}

func (q *Queue) release(id metadata.OutboundID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, id)
}

// renew keeps the leases of what this node holds, and ends attempts whose lease was lost, until the last attempt has ended.
func (q *Queue) renew(attempts <-chan struct{}) {
	tick := time.NewTicker(q.cfg.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			q.renewOnce()
		case <-attempts:
			return
		}
	}
}

func (q *Queue) renewOnce() {
	q.mu.Lock()
	ids := make([]metadata.OutboundID, 0, len(q.held))
	for id := range q.held {
		ids = append(ids, id)
	}
	q.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(q.sending, q.cfg.Lease/4)
	defer cancel()
	kept, err := q.meta.RenewOutbound(ctx, q.holder, q.cfg.Lease, ids)
	if err != nil {
		q.cfg.Log.Warn("leases of outbound items were not renewed", "items", len(ids), "error", err)
		return
	}
	still := make(map[metadata.OutboundID]bool, len(kept))
	for _, id := range kept {
		still[id] = true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		if end := q.held[id]; end != nil && !still[id] {
			end(errLeaseLost) // dropped by an administrator, or another node has it; or it has just ended
		}
	}
}
