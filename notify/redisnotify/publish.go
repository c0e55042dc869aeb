package redisnotify

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rookery-mail/rookery/notify"
)

const (
	pipeline  = 500                    // messages sent in one go
	maxHints  = 1000                   // in a message
	lastFlush = 500 * time.Millisecond // for what waits when the Notifier is closed
)

// Stats counts since Open.
type Stats struct {
	Published uint64 // hints handed to Redis
	Dropped   uint64 // hints that could not be
	Received  uint64 // hints of other nodes
	Garbage   uint64 // messages that nobody of ours has written
}

type counters struct{ published, dropped, received, garbage atomic.Uint64 }

// Stats returns the counts so far.
func (n *Notifier) Stats() Stats {
	return Stats{n.stats.published.Load(), n.stats.dropped.Load(), n.stats.received.Load(), n.stats.garbage.Load()}
}

// Publish delivers hints to this node's subscriptions and leaves them to the publisher for the other nodes. Of several hints
// for one mailbox that wait, the highest is sent.
func (n *Notifier) Publish(_ context.Context, hints ...notify.Hint) {
	n.router.Deliver(hints...)
	n.pubMu.Lock()
	for _, h := range hints {
		key := pendingKey{h.Account, h.Mailbox}
		at, waits := n.pending[key]
		if !waits && len(n.pending) >= maxPending {
			n.stats.dropped.Add(1)
			continue
		}
		n.pending[key] = max(at, h.ModSeq)
	}
	n.pubMu.Unlock()
	signal(n.publish)
}

// runPublisher sends what waits; what comes meanwhile goes with the next round.
func (n *Notifier) runPublisher(ctx context.Context) {
	failing := false
	backoff := minBackoff
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), lastFlush)
			_ = n.flush(last) // nobody is left to be told
			cancel()
			return
		case <-n.publish:
		}
		err := n.flush(ctx)
		if err == nil {
			if failing {
				n.log.Info("hints can be published again")
			}
			failing, backoff = false, minBackoff
			continue
		}
		// The session logs a server that is gone. One that only refuses to publish is logged here.
		if n.Healthy() && !failing && ctx.Err() == nil {
			failing = true
			n.log.Warn("hints can not be published; other nodes find changes by polling", "err", err)
		}
		sleep(ctx, backoff)
		backoff = min(2*backoff, maxBackoff)
	}
}

// flush sends what waits. What cannot be sent is dropped.
func (n *Notifier) flush(ctx context.Context) error {
	n.pubMu.Lock()
	pending := n.pending
	n.pending = make(map[pendingKey]uint64)
	n.pubMu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	messages := n.messages(pending)
	var failed error
	for batch := range slices.Chunk(messages, pipeline) {
		if failed == nil {
			failed = n.send(ctx, batch)
		}
		for _, m := range batch {
			if m.sent {
				n.stats.published.Add(m.hints)
			} else {
				n.stats.dropped.Add(m.hints)
			}
		}
	}
	return failed
}

// message is one PUBLISH.
type message struct {
	account [16]byte
	payload []byte
	hints   uint64
	sent    bool
}

// messages makes one message for each account, more for one with very many mailboxes.
func (n *Notifier) messages(pending map[pendingKey]uint64) []*message {
	var all []*message
	open := make(map[[16]byte]*message, len(pending))
	for key, modseq := range pending {
		m := open[key.account]
		if m == nil || m.hints >= maxHints {
			m = &message{account: key.account}
			m.payload = appendHead(make([]byte, 0, messageHead+16+binary.MaxVarintLen64), n.node, key.account)
			open[key.account] = m
			all = append(all, m)
		}
		m.payload = appendHint(m.payload, key.mailbox, modseq)
		m.hints++
	}
	return all
}

// send publishes a batch in one round trip, two when it finds that the server does not know sharded pub/sub.
func (n *Notifier) send(ctx context.Context, batch []*message) error {
	ctx, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	for {
		sharded := n.sharded.Load()
		pipe := n.client.Pipeline()
		for _, m := range batch {
			if sharded {
				pipe.SPublish(ctx, channelName(m.account), m.payload)
			} else {
				pipe.Publish(ctx, channelName(m.account), m.payload)
			}
		}
		cmds, err := pipe.Exec(ctx)
		if sharded && isUnknownCommand(err) {
			n.sharded.Store(false)
			continue
		}
		for i, cmd := range cmds {
			batch[i].sent = cmd.Err() == nil
		}
		return err
	}
}

// isUnknownCommand reports whether the server is older than a command.
func isUnknownCommand(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && strings.HasPrefix(reply.Error(), "ERR unknown command")
}

// sleep waits, but not longer than ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
