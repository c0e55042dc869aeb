package pop3d

import (
	"context"
	"fmt"
	"strings"
)

// list is LIST (RFC 1939 section 5).
func list(_ context.Context, s *session, args string) error {
	return s.listing(args, func(m *dropped) string { return fmt.Sprint(m.size) })
}

// listing answers LIST and UIDL: what is said of one message, or of each that is not marked as deleted.
func (s *session) listing(args string, say func(*dropped) string) error {
	if arg := strings.TrimSpace(args); arg != "" {
		n, m, err := s.drop.message(arg)
		if err != nil {
			return err
		}
		s.ok(fmt.Sprintf("%d %s", n, say(m)))
		return nil
	}
	s.ok(fmt.Sprintf("%d messages (%d octets) follow", s.drop.count, s.drop.octets))
	for i := range s.drop.messages {
		if m := &s.drop.messages[i]; !m.deleted {
			s.line("%d %s", i+1, say(m))
		}
	}
	s.dot()
	return nil
}
