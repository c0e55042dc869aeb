package redisnotify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rookery-mail/rookery/notify"
)

// channelBatch is how many channels one command names.
const channelBatch = 500

// session is the life of one connection that carries all subscriptions. The reader runs in the goroutine of run; the writer
// is the only one who sends commands.
type session struct {
	n       *Notifier
	ps      *redis.PubSub
	sharded bool
	heard   atomic.Int64 // when the server last said something, Unix nanoseconds

	subscribed map[[16]byte]struct{} // the writer's: what the server has been told

	mu     sync.Mutex
	fences []fence // guarded by mu: in the order of their PINGs
	err    error   // guarded by mu: why the session was ended from this side
}

// fence is what the server will have done when it answers a PING.
type fence struct {
	token    string
	channels []*channel
	up       bool // with it the session carries all channels
}

var errSilent = fmt.Errorf("the server has said nothing for %v", deadAfter)

// runSessions keeps one session after the other until ctx ends. tried is called when it is known whether the first works.
func (n *Notifier) runSessions(ctx context.Context, tried func()) {
	defer tried()
	backoff := minBackoff
	reported := false
	for {
		up, err := n.runSession(ctx, tried)
		if ctx.Err() != nil {
			return
		}
		n.healthy.Store(false)
		if up {
			backoff, reported = minBackoff, false
		}
		if !reported {
			reported = true
			n.log.Warn("no hints: Redis is gone; open mailboxes are polled", "err", err)
		}
		tried()
		sleep(ctx, backoff)
		backoff = min(2*backoff, maxBackoff)
	}
}

// runSession lives as long as its connection. up tells whether it carried hints.
func (n *Notifier) runSession(ctx context.Context, tried func()) (up bool, err error) {
	s := &session{n: n, subscribed: map[[16]byte]struct{}{}}
	if err := s.connect(ctx); err != nil {
		return false, err
	}
	s.heard.Store(time.Now().UnixNano())
	writing, stop := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		s.end(s.write(writing))
	})
	up, err = s.read(ctx, tried)
	stop()
	s.end(err)
	writer.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return up, s.err
}

// end closes the connection, for the first reason given.
func (s *session) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	_ = s.ps.Close()
}

// connect makes the connection and finds out whether the server knows sharded pub/sub, by a channel that nobody uses.
func (s *session) connect(ctx context.Context) error {
	probe := channelName([16]byte(append(s.n.node[:], s.n.node[:]...)))
	for _, s.sharded = range []bool{true, false} {
		if s.sharded {
			s.ps = s.n.client.SSubscribe(ctx)
		} else {
			s.ps = s.n.client.Subscribe(ctx)
		}
		err := s.subscribe(ctx, probe)
		if err == nil {
			_, err = s.ps.ReceiveTimeout(ctx, ioTimeout)
		}
		if err == nil {
			s.n.sharded.Store(s.sharded)
			return nil
		}
		_ = s.ps.Close()
		if !isUnknownCommand(err) {
			return err
		}
	}
	return errors.New("the server knows no pub/sub")
}

func (s *session) subscribe(ctx context.Context, names ...string) error {
	if s.sharded {
		return s.ps.SSubscribe(ctx, names...)
	}
	return s.ps.Subscribe(ctx, names...)
}

func (s *session) unsubscribe(ctx context.Context, names ...string) error {
	if s.sharded {
		return s.ps.SUnsubscribe(ctx, names...)
	}
	return s.ps.Unsubscribe(ctx, names...)
}

// read handles what the server says.
func (s *session) read(ctx context.Context, tried func()) (up bool, err error) {
	for {
		m, err := s.ps.Receive(ctx)
		if err != nil {
			return up, err
		}
		s.heard.Store(time.Now().UnixNano())
		switch m := m.(type) {
		case *redis.Message:
			s.n.take(m.Payload)
		case *redis.Pong:
			if s.passed(m.Payload) {
				up = true
				tried()
			}
		}
	}
}

// take delivers what another node published.
func (n *Notifier) take(payload string) {
	if len(payload) > 1 && len(payload) >= messageHead && string(n.node[:]) == payload[1:1+len(n.node)] {
		return // delivered when it was published
	}
	received := uint64(0)
	if _, ok := parseMessage(payload, func(h notify.Hint) {
		received++
		n.router.Deliver(h)
	}); !ok {
		n.stats.garbage.Add(1)
	}
	n.stats.received.Add(received)
}

// passed opens the fence of a PONG. It reports whether the session now carries hints.
func (s *session) passed(token string) (up bool) {
	s.mu.Lock()
	i := slices.IndexFunc(s.fences, func(f fence) bool { return f.token == token })
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	f := s.fences[i]
	s.fences = slices.Delete(s.fences, i, i+1)
	s.mu.Unlock()

	late := false
	s.n.mu.Lock()
	for _, ch := range f.channels {
		if !ch.isUp {
			ch.isUp = true
			close(ch.confirmed)
			late = late || ch.late
		}
	}
	s.n.mu.Unlock()
	if f.up {
		s.n.healthy.Store(true)
		s.n.log.Info("hints flow through Redis", "sharded", s.sharded)
	}
	if f.up || late {
		s.n.recovered()
	}
	return f.up
}

// write tells the server about channels, at first all of them, and asks it for a sign of life.
func (s *session) write(ctx context.Context) error {
	s.n.mu.Lock()
	clear(s.n.dirty)
	accounts := make([][16]byte, 0, len(s.n.channels))
	for a := range s.n.channels {
		accounts = append(accounts, a)
	}
	s.n.mu.Unlock()
	if err := s.update(ctx, accounts, "up"); err != nil {
		return err
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for number := 0; ; number++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			if time.Since(time.Unix(0, s.heard.Load())) > deadAfter {
				return errSilent
			}
			if err := s.ps.Ping(ctx, "beat"); err != nil {
				return err
			}
		case <-s.n.changed:
			s.n.mu.Lock()
			accounts = accounts[:0]
			for a := range s.n.dirty {
				accounts = append(accounts, a)
			}
			clear(s.n.dirty)
			s.n.mu.Unlock()
			if err := s.update(ctx, accounts, strconv.Itoa(number)); err != nil {
				return err
			}
		}
	}
}

// update brings the server's channels of these accounts up to date, with a fence behind.
func (s *session) update(ctx context.Context, accounts [][16]byte, token string) error {
	var add, remove []string
	f := fence{token: token, up: token == "up"}
	s.n.mu.Lock()
	for _, a := range accounts {
		ch := s.n.channels[a]
		_, has := s.subscribed[a]
		switch {
		case ch != nil && !has:
			s.subscribed[a] = struct{}{}
			add = append(add, channelName(a))
		case ch == nil && has:
			delete(s.subscribed, a)
			remove = append(remove, channelName(a))
		}
		if ch != nil && !ch.isUp {
			f.channels = append(f.channels, ch)
		}
	}
	s.n.mu.Unlock()
	for names := range slices.Chunk(add, channelBatch) {
		if err := s.subscribe(ctx, names...); err != nil {
			return err
		}
	}
	for names := range slices.Chunk(remove, channelBatch) {
		if err := s.unsubscribe(ctx, names...); err != nil {
			return err
		}
	}
	if !f.up && len(f.channels) == 0 {
		return nil
	}
	s.mu.Lock()
	s.fences = append(s.fences, f)
	s.mu.Unlock()
	return s.ps.Ping(ctx, token)
}
