package imapd

import "github.com/rookery-mail/rookery/metadata"

// A session has one lock, s.mu. Whoever touches the session's state holds it: every field of session but srv, conn, ctx, cancel
// and local, the Writer and the Selected among them. So everything written under one hold is one piece of the stream, and a
// response is written whole before the lock is given up.
//
// The connection's goroutine has the lock but for the time it waits for input (source), and commands run with it. A command
// that waits for storage gives it up meanwhile (away). Whoever else has something to tell the client (IDLE's goroutine,
// commands that run beside others) takes it, writes whole responses, flushes them if nobody else will (flushIdle), and
// gives it back.

// present is what a session knows of the command whose turn it is. It changes hands with the lock: see away.
type present struct {
	tag   string // ESEARCH repeats it
	stale bool   // the command changed the selected mailbox by its name: ask the database for news
	after func() error
	// caused: the command removed messages from the selected mailbox or put some into it; appended are those.
	caused   bool
	appended metadata.UIDSet
	// progress tells the client how far the command is; nil where its time is the client's.
	progress *progress
}

// lock takes the session's lock, once it is not lent.
func (s *session) lock() {
	s.mu.Lock()
	for s.lent {
		s.ended.Wait()
	}
}

// wait gives the lock up until a command has ended.
func (s *session) wait() {
	s.ended.Wait()
	for s.lent {
		s.ended.Wait()
	}
}

// lend is away for what touches the Selected, such as changes of it: all others wait. Only progress.tell comes between.
func (s *session) lend(work func() error) error {
	s.lent = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.lent = false
		s.ended.Broadcast()
	}()
	return work()
}

// away gives the session's lock up while wait runs, which therefore touches nothing of the session. It is for waits for
// storage, between responses: never in the middle of one. When it returns, flags may have changed, and messages may have come.
// Messages may have been announced as expunged too, unless the command says seqs: others find out the sequence numbers that
// they are about to write after the wait, not before. The same mailbox is selected.
func (s *session) away(wait func() error) error {
	mine := s.present
	s.mu.Unlock()
	defer func() {
		s.lock()
		s.present = mine
	}()
	return wait()
}

// source is the connection as the session's Reader has it: it gives the session's lock up while it waits for input.
type source struct{ s *session }

func (src source) Read(p []byte) (n int, err error) {
	s := src.s
	err = s.away(func() error {
		n, err = s.in.Read(p)
		return err
	})
	return n, err
}

// flushIdle sends what another goroutine than the connection's has written, unless that is about to: it does before it waits for
// input.
func (s *session) flushIdle() error {
	if s.coming {
		return s.w.Err()
	}
	return s.w.Flush()
}
