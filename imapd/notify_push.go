package imapd

import (
	"context"
	"time"

	"github.com/rookery-mail/rookery/mailstore"
)

// notifyPush stands for the telling of events among the commands that run: messages are fetched for it, so that it may neither
// overtake nor be overtaken by what changes those, or selects another mailbox.
var notifyPush = command{name: "NOTIFY"}

// startNotify begins to tell events between commands.
func (s *session) startNotify(n *notification) {
	ctx, cancel := context.WithCancel(s.ctx)
	n.cancel, n.stopped, n.poke = cancel, make(chan struct{}), make(chan struct{}, 1)
	go s.runNotify(ctx, n)
}

// stopNotify ends it. The session's lock is given up meanwhile.
func (s *session) stopNotify(n *notification) {
	if n == nil {
		return
	}
	if n.cancel != nil {
		n.cancel()
		s.ended.Broadcast()
		_ = s.away(func() error { <-n.stopped; return nil })
		n.cancel = nil
	}
	if n.watch != nil {
		n.watch.Close()
		n.watch = nil
	}
}

// commandEnded tells the goroutine that it may have something to do.
func (n *notification) commandEnded() {
	if n == nil || n.poke == nil {
		return
	}
	select {
	case n.poke <- struct{}{}:
	default:
	}
}

// runNotify tells events until ctx ends.
func (s *session) runNotify(ctx context.Context, n *notification) {
	defer close(n.stopped)
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v)
			s.conn.stop(errPanicked)
		}
	}()
	var listed <-chan struct{}
	if n.watch != nil {
		listed = n.watch.Changed()
	}
	for ctx.Err() == nil {
		changed, again, err := s.tellEvents(ctx, n)
		if err != nil {
			s.conn.stop(err)
			return
		}
		var retry <-chan time.Time
		if again {
			retry = time.After(retryPush)
		}
		select {
		case <-ctx.Done():
		case <-n.poke:
		case <-changed:
		case <-listed:
		case <-retry:
		}
	}
}

// tellEvents takes the session's lock, and tells what is to be told. changed receives when the selected mailbox has changed since;
// again asks for another call a while later; the error ends the session.
func (s *session) tellEvents(ctx context.Context, n *notification) (changed <-chan struct{}, again bool, err error) {
	s.lock()
	defer s.mu.Unlock()
	r := &running{cmd: &notifyPush, name: notifyPush.name, order: beside(flags|messages, 0)}
	// While IDLE waits for its client nothing else begins.
	for ctx.Err() == nil && !s.idling && s.mustWait(r) {
		s.wait()
	}
	if ctx.Err() != nil || s.end != nil || s.notify != n {
		return nil, false, nil
	}
	s.running = append(s.running, r)
	defer s.finish(r)
	s.present = present{}
	if s.sel != nil && n.selected != nil {
		changed = s.sel.Changed()
		err := s.sync(ctx, mailstore.SyncOptions{NoExpunge: n.selected.delayed && !s.idling})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("no news of the selected mailbox", "error", err)
			again = true
		}
	}
	if n.watch != nil && s.end == nil {
		s.tellMailboxes(nil)
	}
	if err := s.flushIdle(); err != nil {
		return nil, false, err
	}
	return changed, again, s.end
}
