package imapd

import (
	"bytes"
	"context"
	"encoding/base64"

	"github.com/rookery-mail/rookery/imapd/internal/wire"
)

var authenticateCommand = command{
	name:   "AUTHENTICATE",
	states: notAuthenticated,
	parse:  parseAuthenticate,
	waits:  true,
}

// authenticate is AUTHENTICATE (RFC 3501 section 6.2.2) with an initial response (RFC 4959). PLAIN is advertised; LOGIN is
// there for old clients.
type authenticate struct {
	mechanism string
	initial   []byte
	hasFirst  bool
}

func parseAuthenticate(p *wire.Parser) (runner, error) {
	if err := p.SP(); err != nil {
		return nil, err
	}
	cmd := &authenticate{}
	var err error
	if cmd.mechanism, err = p.Atom(); err != nil {
		return nil, err
	}
	if p.EOF() {
		return cmd, nil
	}
	if err := p.SP(); err != nil {
		return nil, err
	}
	cmd.hasFirst = true
	if string(p.Rest()) == "=" { // RFC 4959 section 3: an empty response
		return cmd, nil
	}
	cmd.initial, err = decodeSASL(p.Rest())
	return cmd, err
}

func decodeSASL(line []byte) ([]byte, error) {
	if bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, '\n') >= 0 { // the decoder would pass over them
		return nil, bad("Invalid base64")
	}
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, line)
	if err != nil {
		return nil, bad("Invalid base64")
	}
	return b, nil
}

func (cmd *authenticate) run(ctx context.Context, s *session) error {
	if cmd.mechanism != "PLAIN" && cmd.mechanism != "LOGIN" {
		return no("CANNOT", "No such mechanism")
	}
	if !s.mayLogin() {
		return errPrivacy
	}
	if cmd.mechanism == "LOGIN" {
		return cmd.login(ctx, s)
	}
	return cmd.plain(ctx, s)
}

// plain is SASL PLAIN (RFC 4616): authorization identity, NUL, name, NUL, password.
func (cmd *authenticate) plain(ctx context.Context, s *session) error {
	response, err := cmd.first(s, "")
	if err != nil {
		return err
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		return bad("Invalid PLAIN response")
	}
	authzid, name, password := string(parts[0]), string(parts[1]), string(parts[2])
	if authzid != "" && authzid != name {
		return no("AUTHORIZATIONFAILED", "Nobody may act for another")
	}
	return s.login(ctx, name, password)
}

// login is the LOGIN mechanism: two questions.
func (cmd *authenticate) login(ctx context.Context, s *session) error {
	name, err := cmd.first(s, "VXNlcm5hbWU6") // "Username:"
	if err != nil {
		return err
	}
	user := string(name)
	password, err := s.ask("UGFzc3dvcmQ6") // "Password:"
	if err != nil {
		return err
	}
	return s.login(ctx, user, string(password))
}

// first returns the initial response, or asks for it.
func (cmd *authenticate) first(s *session, challenge string) ([]byte, error) {
	if cmd.hasFirst {
		return cmd.initial, nil
	}
	return s.ask(challenge)
}

// ask sends a challenge and reads the response to it. "*" gives up.
func (s *session) ask(challenge string) ([]byte, error) {
	s.w.Raw("+ ").Raw(challenge).CRLF()
	line, err := s.r.ReadLine()
	if err != nil {
		return nil, err
	}
	if string(line) == "*" {
		return nil, bad("Authentication cancelled")
	}
	return decodeSASL(line)
}
