package pop3d

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/rookery-mail/rookery/metadata"
)

// uidl is UIDL (RFC 1939 section 7); see the package comment for what the unique-id is.
func uidl(ctx context.Context, s *session, args string) error {
	if s.drop.unique == nil {
		if err := s.uniqueIDs(ctx); err != nil {
			return err
		}
	}
	return s.listing(args, s.drop.unique.append)
}

// uniqueIDs are the messages of a maildrop whose unique-id is not their body's id.
type uniqueIDs struct {
	imported map[metadata.BodyID]string
	copies   map[metadata.UID]struct{} // bodies that a message with a lower UID has too
}

// uniqueIDs reads what was imported, in bounded time. It does so once in a session, if UIDL is used.
func (s *session) uniqueIDs(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.srv.cfg.StoreTimeout)
	defer cancel()
	imported, err := s.srv.cfg.Store.Metadata().UIDLs(ctx, s.drop.user.Account())
	if err != nil {
		return err
	}
	s.drop.unique = newUniqueIDs(s.drop.messages, imported)
	return nil
}

func newUniqueIDs(messages []dropped, imported []metadata.UIDL) *uniqueIDs {
	u := &uniqueIDs{}
	// Bodies come in the order of their ids, but for copies and what was moved here.
	ascending := true
	for i := 1; i < len(messages) && ascending; i++ {
		ascending = bytes.Compare(messages[i-1].Body[:], messages[i].Body[:]) < 0
	}
	if ascending && len(imported) == 0 {
		return u
	}
	byBody := make([]*dropped, len(messages))
	for i := range messages {
		byBody[i] = &messages[i]
	}
	slices.SortFunc(byBody, func(a, b *dropped) int {
		return cmp.Or(bytes.Compare(a.Body[:], b.Body[:]), cmp.Compare(a.UID, b.UID))
	})
	u.copies = make(map[metadata.UID]struct{})
	for i := 1; i < len(byBody); i++ {
		if byBody[i].Body == byBody[i-1].Body {
			u.copies[byBody[i].UID] = struct{}{}
		}
	}
	has := func(id metadata.BodyID) bool {
		_, ok := slices.BinarySearchFunc(byBody, id, func(m *dropped, id metadata.BodyID) int { return bytes.Compare(m.Body[:], id[:]) })
		return ok
	}
	u.imported = make(map[metadata.BodyID]string)
	for _, x := range imported {
		if has(x.Body) && !ours(x.Unique, has) {
			u.imported[x.Body] = x.Unique
		}
	}
	return u
}

// ours reports whether an imported unique-id is one that this server gives to a message of the maildrop by itself: then it
// would not be unique.
func ours(unique string, has func(metadata.BodyID) bool) bool {
	var id metadata.BodyID
	if len(unique) < 2*len(id) {
		return false
	}
	_, err := hex.Decode(id[:], []byte(unique[:2*len(id)]))
	return err == nil && has(id)
}

// append appends a message's unique-id.
func (u *uniqueIDs) append(to []byte, m *dropped) []byte {
	_, again := u.copies[m.UID]
	if unique, ok := u.imported[m.Body]; ok && !again {
		return append(to, unique...)
	}
	to = hex.AppendEncode(to, m.Body[:])
	if again {
		to = strconv.AppendUint(append(to, '-'), uint64(m.UID), 10)
	}
	return to
}
