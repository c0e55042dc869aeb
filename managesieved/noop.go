package managesieved

import "context"

// noop is NOOP (RFC 5804 section 2.13).
func noop(_ context.Context, s *session, c *scanned) error {
	if len(c.args) == 1 {
		s.ok("TAG "+quote(c.args[0].value), "Done")
		return nil
	}
	s.ok("", "NOOP completed")
	return nil
}
