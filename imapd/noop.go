package imapd

import "context"

var noopCommand = command{
	name:   "NOOP",
	order:  beside(0, 0),
	states: anyState,
	sync:   syncFresh,
	parse:  noArguments(noop{}),
}

// noop is NOOP (RFC 3501 section 6.1.2): all it does is what every command does at its end, and it does it thoroughly.
type noop struct{}

func (noop) run(context.Context, *session) error { return nil }
