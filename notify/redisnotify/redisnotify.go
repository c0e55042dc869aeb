package redisnotify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/rookery-mail/rookery/notify"
)

var _ notify.Notifier = (*Notifier)(nil)

const (
	ioTimeout  = time.Second            // to connect, to write, to publish
	minBackoff = 20 * time.Millisecond  // between sessions
	maxBackoff = time.Second            // between sessions, and after hints could not be published
	heartbeat  = time.Second            // between PINGs
	deadAfter  = 3 * time.Second        // without a word from the server
	subWait    = 250 * time.Millisecond // for a new channel to be confirmed, in Subscribe
	openWait   = 2 * time.Second        // for the first session, in Open
	maxPending = 1 << 16                // mailboxes with a hint that is not sent yet
)

// Options say where Redis is.
type Options struct {
	// URL is redis://[USER:PASSWORD@]HOST:PORT/DB, rediss:// for TLS. Pub/sub does not know databases: all share the channels.
	URL string
	Log *slog.Logger // nil: slog.Default

	Metrics prometheus.Registerer // rookery_notify_*; nil: none. One Notifier for each
}

// Notifier carries hints over one Redis.
type Notifier struct {
	client *redis.Client
	log    *slog.Logger
	node   nodeTag
	router notify.Router

	cancel context.CancelFunc
	done   sync.WaitGroup
	closed sync.Once

	healthy atomic.Bool
	sharded atomic.Bool // the server knows SSUBSCRIBE, as far as is known
	stats   counters

	mu       sync.Mutex
	channels map[[16]byte]*channel // guarded by mu: what must be subscribed
	dirty    map[[16]byte]struct{} // guarded by mu: accounts whose channel changed since the session looked
	recover  []func()              // guarded by mu
	changed  chan struct{}         // something is in dirty

	pubMu   sync.Mutex
	pending map[pendingKey]uint64 // guarded by pubMu: MODSEQs to publish
	publish chan struct{}         // something is in pending
}

// channel is an account's channel from its first subscription to the close of its last one.
type channel struct {
	confirmed chan struct{} // closed when the server has it
	isUp      bool          // confirmed is closed; guarded by Notifier.mu
	late      bool          // a Subscribe returned before that; guarded by Notifier.mu
}

type pendingKey struct{ account, mailbox [16]byte }

// quiet keeps the client library from writing to standard error: this package logs what matters, once.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Open starts a Notifier. It waits a moment for the first connection, but does without: only Options that cannot be right are an
// error.
func Open(o Options) (*Notifier, error) {
	opt, err := redis.ParseURL(o.URL)
	if err != nil {
		// err may hold the password
		return nil, errors.New("redisnotify: the URL is not redis://[USER:PASSWORD@]HOST:PORT/DB (percent-encoded) or rediss://...")
	}
	quiet()
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = ioTimeout, ioTimeout, ioTimeout
	opt.DialerRetries = 1
	opt.MaxRetries = -1
	opt.ContextTimeoutEnabled = true
	opt.DisableIdentity = true
	opt.Protocol = 2
	opt.PoolSize = 4
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Notifier{
		client: redis.NewClient(opt), log: o.Log.With("redis", opt.Addr), cancel: cancel,
		channels: map[[16]byte]*channel{}, dirty: map[[16]byte]struct{}{}, changed: make(chan struct{}, 1),
		pending: map[pendingKey]uint64{}, publish: make(chan struct{}, 1),
	}
	_, _ = rand.Read(n.node[:]) // never fails
	n.sharded.Store(true)
	if err := n.register(o.Metrics); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("redisnotify: metrics: %w", err), n.client.Close())
	}
	first := make(chan struct{})
	n.done.Go(func() { n.runSessions(ctx, sync.OnceFunc(func() { close(first) })) })
	n.done.Go(func() { n.runPublisher(ctx) })
	wait := time.NewTimer(openWait)
	defer wait.Stop()
	select {
	case <-first:
	case <-wait.C:
	}
	return n, nil
}

// Healthy reports whether the server has confirmed this node's channels and answers.
func (n *Notifier) Healthy() bool { return n.healthy.Load() }

// OnRecover calls fn each time Healthy turns true, and when a channel was confirmed after Subscribe had returned. fn must not
// block.
func (n *Notifier) OnRecover(fn func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recover = append(n.recover, fn)
}

func (n *Notifier) recovered() {
	n.mu.Lock()
	fns := n.recover[:len(n.recover):len(n.recover)]
	n.mu.Unlock()
	for _, fn := range fns {
		fn()
	}
}

// Subscribe calls fn for every hint of the account until the subscription is closed. While Healthy it waits, a quarter of a
// second at most, until the server has the channel.
func (n *Notifier) Subscribe(account [16]byte, fn func(notify.Hint)) notify.Subscription {
	sub := n.router.Subscribe(account, fn, func() { n.setChannel(account, &channel{confirmed: make(chan struct{})}) },
		func() { n.setChannel(account, nil) })
	n.mu.Lock()
	ch := n.channels[account]
	n.mu.Unlock()
	if ch == nil { // closed
		return sub
	}
	select {
	case <-ch.confirmed:
		return sub
	default:
	}
	if n.Healthy() {
		wait := time.NewTimer(subWait)
		defer wait.Stop()
		select {
		case <-ch.confirmed:
			return sub
		case <-wait.C:
		}
	}
	n.mu.Lock()
	ch.late = !ch.isUp
	n.mu.Unlock()
	return sub
}

// setChannel begins or ends (nil) an account's channel. The router calls it under its lock.
func (n *Notifier) setChannel(account [16]byte, ch *channel) {
	n.mu.Lock()
	if ch != nil {
		n.channels[account] = ch
	} else {
		delete(n.channels, account)
	}
	n.dirty[account] = struct{}{}
	n.mu.Unlock()
	signal(n.changed)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Close sends what is waiting, for half a second at most, and ends all subscriptions.
func (n *Notifier) Close() error {
	var err error
	n.closed.Do(func() {
		n.router.Close()
		n.cancel()
		n.done.Wait()
		n.healthy.Store(false)
		err = n.client.Close()
	})
	return err
}
