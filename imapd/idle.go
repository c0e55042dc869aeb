package imapd

import (
	"bytes"
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
)

var idleCommand = command{
	name:   "IDLE",
	states: loggedIn,
	waits:  true,
	parse:  noArguments(idle{}),
}

// idle is IDLE (RFC 2177). The connection's goroutine waits for DONE; a second one, which it waits for, tells the client meanwhile
// what happens.
//
// There is no time limit: the untagged OKs, which a client that went away does not acknowledge, end what is dead.
type idle struct{}

// retryPush is how long after trouble with the store its news are asked for again.
const retryPush = 5 * time.Second

func (idle) run(ctx context.Context, s *session) error {
	if s.sel != nil {
		if err := s.sync(ctx, mailstore.SyncOptions{Fresh: true}); err != nil {
			return err
		}
		if s.end != nil {
			return nil
		}
	}
	if err := s.w.Raw("+ idling\r\n").Flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.idling = true
	s.ended.Broadcast() // see tellEvents
	pushed := make(chan struct{})
	s.conn.setUntil(time.Time{})
	var changed <-chan struct{}
	if s.sel != nil && s.notify == nil { // else that is told as NOTIFY says (RFC 5465 section 4)
		changed = s.sel.Changed()
	}
	go func() {
		defer close(pushed)
		s.push(ctx, changed)
	}()
	line, err := s.r.ReadLine()
	s.idling = false
	done := bytes.EqualFold(line, []byte("DONE"))
	cancel()
	_ = s.away(func() error { <-pushed; return nil })
	if err != nil {
		return err
	}
	if !done {
		return bad("Expected DONE")
	}
	return nil
}

// push tells the client what happens until ctx ends.
func (s *session) push(ctx context.Context, changed <-chan struct{}) {
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v)
			s.conn.stop(errPanicked)
		}
	}()
	var retry <-chan time.Time
	alive := time.NewTimer(s.srv.cfg.KeepAlive)
	defer alive.Stop()
	for {
		tell := s.tellNews
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-retry:
		case <-alive.C:
			tell = s.tellAlive
			alive.Reset(s.srv.cfg.KeepAlive)
		}
		again, err := tell(ctx)
		if err != nil {
			s.conn.stop(err)
			return
		}
		if again {
			retry = time.After(retryPush)
		}
	}
}

// tellNews takes the session's lock and tells the client what is new in the selected mailbox. again asks for another call a while
// later; the error ends the session.
func (s *session) tellNews(ctx context.Context) (again bool, err error) {
	s.lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // DONE: what is new comes with the completion
	}
	if err := s.sync(ctx, mailstore.SyncOptions{}); err != nil && ctx.Err() == nil {
		s.log.Warn("no news of the selected mailbox", "error", err)
		again = true
	}
	if err := s.flushIdle(); err != nil {
		return false, err
	}
	return again, s.end
}

// tellAlive takes the session's lock and shows that the connection lives. When somebody else's mailbox may not be read any more,
// nothing else would tell: no hint comes, and what is read by then is all that was in it.
func (s *session) tellAlive(ctx context.Context) (again bool, err error) {
	s.lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // DONE
	}
	if s.sel != nil {
		if err := s.sync(ctx, mailstore.SyncOptions{GoneOnly: true}); err != nil && ctx.Err() == nil {
			s.log.Warn("no news of the selected mailbox", "error", err)
		}
	}
	if s.end == nil {
		s.status("OK", "", "Still here")
	}
	if err := s.flushIdle(); err != nil {
		return false, err
	}
	return false, s.end
}
