package pop3d

import "context"

// quit is QUIT (RFC 1939 sections 4 and 6). After login it is the UPDATE state: the marked messages are deleted, and the
// session ends whether that succeeded or not.
func quit(ctx context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.done = true
	if s.drop == nil {
		s.ok("Bye")
		return nil
	}
	n, err := s.drop.update(ctx)
	// The lease goes before the answer: a client that comes back at once must not find its own old session.
	s.drop.close()
	s.drop = nil
	if err != nil {
		s.logTrouble("QUIT", err)
		return refusal{"SYS/TEMP", "Marked messages may not have been deleted"}
	}
	s.srv.metrics.deleted.Add(float64(n))
	s.log.Info("pop3 quit", "deleted", n)
	s.ok("Bye, %d messages deleted", n)
	return nil
}
