package pop3d

import (
	"context"
	"encoding/hex"
)

// uidl is UIDL (RFC 1939 section 7); see the package comment for what the unique-id is.
func uidl(_ context.Context, s *session, args string) error {
	return s.listing(args, func(to []byte, m *dropped) []byte { return hex.AppendEncode(to, m.Body[:]) })
}
