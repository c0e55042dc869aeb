package pop3d

import (
	"context"
	"strings"
)

// dele is DELE (RFC 1939 section 5): a mark, until QUIT.
func dele(_ context.Context, s *session, args string) error {
	n, m, err := s.drop.message(strings.TrimSpace(args))
	if err != nil {
		return err
	}
	m.deleted = true
	s.drop.count--
	s.drop.octets -= m.Size
	s.ok("Message %d deleted at QUIT", n)
	return nil
}
