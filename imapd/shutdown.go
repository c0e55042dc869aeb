package imapd

import (
	"context"
	"time"
)

// lastWords is how long sessions have after Shutdown's context has ended, to notice.
const lastWords = 2 * time.Second

// Shutdown stops accepting. Sessions that wait for a command, or in IDLE, are told BYE and closed; running commands, an APPEND
// whose message is coming in among them, may end until ctx does. Then connections are cut and Shutdown returns ctx's error. Later
// calls do nothing.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.mu.Lock()
	if srv.stopping {
		srv.mu.Unlock()
		return nil
	}
	srv.stopping = true
	close(srv.stopped)
	for l := range srv.listeners {
		l.Close()
	}
	for s := range srv.sessions {
		s.conn.stop(errStopped)
	}
	srv.mu.Unlock()

	ended := make(chan struct{})
	go func() { // ends with the sessions
		defer close(ended)
		srv.wg.Wait()
	}()
	select {
	case <-ended:
		srv.cancel()
		return nil
	case <-ctx.Done():
	}
	srv.cancel()
	srv.mu.Lock()
	for s := range srv.sessions {
		s.conn.cut()
	}
	srv.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(lastWords):
		srv.cfg.Log.Error("imap sessions did not end")
	}
	return ctx.Err()
}
