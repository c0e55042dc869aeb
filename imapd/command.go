package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

// states is a set of the states of RFC 9051 section 3.
type states uint8

const (
	notAuthenticated states = 1 << iota
	authenticated
	selected
)

// runner is a parsed command. run writes untagged responses; its error becomes the tagged response: nil is OK, a *statusError
// (see status.go) is said as it is, a *mailerr.Error is translated.
type runner interface {
	run(ctx context.Context, s *session) error
}

// command is a row of the command table.
type command struct {
	name   string // "FETCH"; "UID FETCH" is a row of its own
	states states
	// seqs: the command's arguments or responses are sequence numbers, so no EXPUNGE may be sent while it runs or with its
	// completion (RFC 9051 section 7.5.1).
	seqs bool
	// parse reads the arguments, from the space after the name (if any) to the end. It has no effects.
	parse func(p *wire.Parser) (runner, error)
}
