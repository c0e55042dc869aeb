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

// idle is IDLE (RFC 2177). The session's goroutine waits for DONE; a second one, which it waits for, has the writer and the
// selected mailbox meanwhile and tells the client what happens.
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
	pushed := make(chan struct{})
	s.conn.until = time.Time{}
	s.idling = true
	go func() {
		defer close(pushed)
		s.push(ctx)
	}()
	line, err := s.r.ReadLine()
	done := bytes.EqualFold(line, []byte("DONE"))
	cancel()
	<-pushed
	s.idling = false
	if err != nil {
		return err
	}
	if !done {
		return bad("Expected DONE")
	}
	return nil
}

// push tells the client what happens until ctx ends.
func (s *session) push(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v)
			s.conn.stop(errPanicked)
		}
	}()
	var changed <-chan struct{}
	if s.sel != nil {
		changed = s.sel.Changed()
	}
	var retry <-chan time.Time
	alive := time.NewTimer(s.srv.cfg.KeepAlive)
	defer alive.Stop()
	for {
		news := false
		select {
		case <-ctx.Done():
			return
		case <-changed:
			news = true
		case <-retry:
			news = true
		case <-alive.C:
			s.w.Raw("* OK Still here\r\n")
			alive.Reset(s.srv.cfg.KeepAlive)
		}
		if news {
			retry = nil
			if err := s.sync(ctx, mailstore.SyncOptions{}); err != nil {
				if ctx.Err() != nil {
					return
				}
				s.log.Warn("no news of the selected mailbox", "error", err)
				retry = time.After(retryPush)
			}
		}
		if err := s.w.Flush(); err != nil {
			s.conn.stop(err)
			return
		}
		if s.end != nil {
			s.conn.stop(s.end)
			return
		}
	}
}
