package pop3d

import (
	"context"
	"fmt"
)

// stat is STAT (RFC 1939 section 5). Messages marked as deleted do not count.
func stat(_ context.Context, s *session, args string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	s.positive(fmt.Sprintf("%d %d", s.drop.count, s.drop.octets))
	return nil
}
