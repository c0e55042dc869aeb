package imapd

import (
	"context"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var compressCommand = command{
	name:   "COMPRESS",
	states: loggedIn,
	sync:   syncNone,
	parse:  parseCompress,
}

// compress is COMPRESS (RFC 4978). It is taken after login only: before, nobody should be able to make us decompress.
type compress struct{ mechanism string }

func parseCompress(p *wire.Parser) (runner, error) {
	if err := p.SP(); err != nil {
		return nil, err
	}
	mechanism, err := p.Keyword()
	if err != nil {
		return nil, err
	}
	return compress{mechanism}, p.End()
}

func (cmd compress) run(_ context.Context, s *session) error {
	switch {
	case cmd.mechanism != "DEFLATE":
		return bad("No such compression mechanism")
	case s.compressed: // NO would mean another layer than this (section 3)
		return &statusError{typ: "BAD", code: "COMPRESSIONACTIVE", text: "DEFLATE is active via COMPRESS"}
	}
	s.after = s.compress
	return &statusError{typ: "OK", text: "DEFLATE active"}
}

// compress makes everything behind the tagged response compressed. What the client has sent behind its command is the beginning
// of its stream.
func (s *session) compress() error {
	s.compressed = true
	s.in = newInflater(s.in, s.r.TakeBuffered())
	s.w.Redirect(&deflater{dst: s.conn})
	return nil
}
