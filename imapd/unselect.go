package imapd

import "context"

var unselectCommand = command{
	name:   "UNSELECT",
	states: selected,
	sync:   syncNone,
	parse:  noArguments(unselect{}),
}

// unselect is UNSELECT (RFC 3691).
type unselect struct{}

func (unselect) run(_ context.Context, s *session) error {
	s.unselect()
	return nil
}
