package pop3d

import (
	"context"
	"time"
)

// lastWords is how long sessions have after Shutdown's context has ended, to give up their leases.
const lastWords = 2 * time.Second

// Shutdown stops accepting. Sessions that wait for a command are told so and closed; running commands, QUIT's deletions
// among them, may end until ctx does. Then connections are cut and Shutdown returns ctx's error. Nobody's messages are deleted
// but by a QUIT. Later calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.stopping = true
	close(s.stopped)
	for l := range s.listeners {
		l.Close()
	}
	for ses := range s.sessions {
		ses.stop()
	}
	s.mu.Unlock()

	ended := make(chan struct{})
	go func() { // ends with the sessions
		defer close(ended)
		s.wg.Wait()
	}()
	select {
	case <-ended:
		s.cancel()
		return nil
	case <-ctx.Done():
	}
	s.cancel()
	s.mu.Lock()
	for ses := range s.sessions {
		ses.cut()
	}
	s.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(lastWords):
		s.cfg.Log.Error("pop3 sessions did not end")
	}
	return ctx.Err()
}
