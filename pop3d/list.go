package pop3d

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// list is LIST (RFC 1939 section 5).
func list(_ context.Context, s *session, args string) error {
	return s.listing(args, func(to []byte, m *dropped) []byte { return strconv.AppendInt(to, m.Size, 10) })
}

// listing answers LIST and UIDL: what say appends of one message, or of each that is not marked as deleted.
func (s *session) listing(args string, say func([]byte, *dropped) []byte) error {
	if arg := strings.TrimSpace(args); arg != "" {
		n, m, err := s.drop.message(arg)
		if err != nil {
			return err
		}
		s.positive(string(say(fmt.Appendf(nil, "%d ", n), m)))
		return nil
	}
	s.ok("%d messages (%d octets) follow", s.drop.count, s.drop.octets)
	for i := range s.drop.messages {
		m := &s.drop.messages[i]
		if m.deleted {
			continue
		}
		line := strconv.AppendInt(s.Out.AvailableBuffer(), int64(i+1), 10)
		line = append(say(append(line, ' '), m), "\r\n"...)
		_, _ = s.Out.Write(line) // the first error stays
	}
	s.dot()
	return nil
}
