package listener

import (
	"context"
	"time"
)

// lastWords is how long sessions have after Shutdown's context has ended: to say so, not to finish anything; and once more
// after their sockets are closed.
const lastWords = 2 * time.Second

// Shutdown stops accepting and tells sessions to stop; what they are doing may end until ctx does. Then they are told to abort,
// their sockets are closed, and Shutdown returns ctx's error. Later calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.stopping = true
	close(s.stopped)
	for l := range s.listeners {
		(*l).Close()
	}
	for c := range s.conns {
		if c.ses == nil {
			c.nc.Close() // in its PROXY header
			continue
		}
		c.ses.Stop()
	}
	s.mu.Unlock()
	defer s.cancel()

	ended := make(chan struct{})
	go func() { // ends with the sessions
		defer close(ended)
		s.wg.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.cancel()
	s.each(func(c *open) { c.ses.Abort() })
	select {
	case <-ended:
		return ctx.Err()
	case <-time.After(lastWords):
	}
	s.each(func(c *open) { c.nc.Close() })
	select {
	case <-ended:
	case <-time.After(lastWords):
		s.cfg.Log.Error("sessions did not end", "protocol", s.cfg.Protocol)
	}
	return ctx.Err()
}

// each calls f for every session. f may take a session's locks, never the other way round.
func (s *Server) each(f func(*open)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.ses != nil {
			f(c)
		}
	}
}
