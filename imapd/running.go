package imapd

import (
	"context"
	"slices"
	"time"
)

// maxBeside is how many commands of a session run in goroutines of their own at once. While so many do, no more is read.
const maxBeside = 8

// running is a command from its beginning to its tagged response.
type running struct {
	cmd   *command
	name  string
	tag   string
	order order
	run   runner
	start time.Time
	own   bool // runs in a goroutine of its own
}

// begin waits until r may begin, and counts it among those that run. Nothing ends the wait but their ends: all of them end when the
// session's context does.
func (s *session) begin(r *running) {
	for s.mustWait(r) {
		_ = s.w.Flush() // sticks; the client may wait for what is done
		s.wait()
	}
	s.running = append(s.running, r)
}

func (s *session) mustWait(r *running) bool {
	if r.own && len(s.running) >= maxBeside {
		return true
	}
	return slices.ContainsFunc(s.running, func(other *running) bool { return other.order.before(r.order) })
}

// finish is the end of r.
func (s *session) finish(r *running) {
	s.running = slices.DeleteFunc(s.running, func(other *running) bool { return other == r })
	if len(s.running) == 0 {
		s.running = nil // an idle session holds little
	}
	s.ended.Broadcast()
	if r.cmd != &notifyPush {
		s.notify.commandEnded()
	}
}

// countsMessages reports whether a command by sequence number is running: then no EXPUNGE may be sent.
func (s *session) countsMessages() bool {
	return slices.ContainsFunc(s.running, func(r *running) bool { return r.cmd.seqs })
}

// complete runs r, brings the session to the present and answers. Its error ends the session.
func (s *session) complete(ctx context.Context, r *running) error {
	if !r.cmd.waits {
		s.progress = s.watch(r.tag)
		defer s.progress.end()
	}
	err := r.run.run(ctx, s)
	if !r.own {
		s.startClock()
		if ferr := s.r.Finish(); ferr != nil {
			return ferr
		}
	}
	if serr := s.syncAfter(r.cmd); serr != nil && err == nil {
		err = serr
	}
	if !r.cmd.waits {
		s.srv.metrics.seconds.WithLabelValues(r.name).Observe(time.Since(r.start).Seconds())
	}
	if s.ctx.Err() != nil && r.own {
		return s.end // it was given up with the session
	}
	return s.answer(r.tag, r.name, err)
}

// detach runs r in a goroutine of its own, which is given the session's lock; it returns, with the lock again, when r waits for
// storage or has ended.
func (s *session) detach(r *running) error {
	mine := s.present
	s.coming = true
	s.startClock()
	go s.runBeside(r)
	s.lock()
	s.coming = false
	s.present = mine
	return s.end
}

// runBeside is the goroutine of a command. It begins with the session's lock. The session waits for it before it is closed.
func (s *session) runBeside(r *running) {
	defer s.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v)
			s.fail(errPanicked)
		}
		s.finish(r)
		s.startClock()
	}()
	err := s.complete(s.ctx, r)
	if err == nil {
		err = s.flushIdle()
	}
	if err != nil {
		s.fail(err)
	}
}

// runsBeside reports whether a command runs in a goroutine of its own.
func (s *session) runsBeside() bool {
	return slices.ContainsFunc(s.running, func(r *running) bool { return r.own })
}

// fail ends the session from a goroutine that is not the connection's.
func (s *session) fail(err error) {
	if s.end == nil {
		s.end = err
	}
	s.conn.stop(err)
}

// settle waits until no command runs.
func (s *session) settle() {
	for len(s.running) > 0 {
		s.wait()
	}
}
