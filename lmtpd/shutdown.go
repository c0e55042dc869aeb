package lmtpd

import (
	"context"
	"time"
)

// lastWords is how long connections have after Shutdown's context has ended: to say 421, not to finish anything.
const lastWords = 2 * time.Second

// Shutdown stops accepting. Connections that wait for a command are told 421 4.3.2 and closed at once. A message that is
// coming in may be completed, and what is complete is delivered and answered, until ctx ends; then what is still coming in
// is told 421 4.3.2, deliveries are given up with 451, and Shutdown returns ctx's error. Later calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.stopping = true
	for l := range s.listeners {
		_ = l.Close()
	}
	if len(s.conns) == 0 {
		close(s.empty)
	}
	s.each((*conn).stop)
	s.mu.Unlock()

	var err error
	select {
	case <-s.empty:
	case <-ctx.Done():
		err = ctx.Err()
		s.abandon()
	}
	s.cancel()
	ended := make(chan struct{})
	go func() { // ends with the connections' goroutines
		defer close(ended)
		_ = s.smtp.Shutdown(context.Background())
		s.handoff.end() // if go-smtp never served
		s.wg.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(lastWords):
		s.cfg.Log.Error("lmtp connections did not end")
	}
	return err
}

// abandon ends what is still running: softly first, then by closing the sockets.
func (s *Server) abandon() {
	s.cancel()
	s.mu.Lock()
	s.each((*conn).abort)
	s.mu.Unlock()
	select {
	case <-s.empty:
		return
	case <-time.After(lastWords):
	}
	s.mu.Lock()
	s.each((*conn).cut)
	s.mu.Unlock()
}

// each calls f for every connection; the caller holds s.mu. f may lock a conn's mutex, never the other way round.
func (s *Server) each(f func(*conn)) {
	for c := range s.conns {
		f(c)
	}
}
