package pop3d

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
)

// auth is AUTH (RFC 5034) with the one mechanism PLAIN (RFC 4616). Without an argument it lists the mechanisms, as clients
// from before CAPA ask.
func auth(ctx context.Context, s *session, args string) error {
	s.user = ""
	mechanism, initial, given := strings.Cut(args, " ")
	if mechanism == "" {
		s.ok("Mechanisms follow")
		if s.plaintextAllowed() {
			s.line("PLAIN")
		}
		s.dot()
		return nil
	}
	if !strings.EqualFold(mechanism, "PLAIN") {
		return refusal{"", "Unknown mechanism"}
	}
	if err := s.mayLogin(); err != nil {
		return err
	}
	response, err := s.saslResponse(initial, given)
	if err != nil {
		return err
	}
	authzid, rest, ok1 := bytes.Cut(response, []byte{0})
	authcid, password, ok2 := bytes.Cut(rest, []byte{0})
	if !ok1 || !ok2 || len(authcid) == 0 || bytes.IndexByte(password, 0) >= 0 {
		return refusal{"", "That is no PLAIN response"}
	}
	if len(authzid) > 0 && !bytes.Equal(authzid, authcid) {
		return s.loginFailed() // nobody may act for somebody else
	}
	return s.login(ctx, string(authcid), string(password))
}

// saslResponse returns the client's one response, sent with AUTH or asked for now.
func (s *session) saslResponse(initial string, given bool) ([]byte, error) {
	if !given {
		s.Out.WriteString("+ \r\n")
		line, err := s.readLine()
		switch {
		case errors.Is(err, errTooLong):
			return nil, refusal{"", "Line too long"}
		case err != nil:
			s.farewell(err)
			_ = s.Out.Flush() // nobody is left to tell
			s.hangUp()
			return nil, refusal{"", "No response"}
		}
		initial = string(line)
		if initial == "*" { // RFC 5034 section 4
			return nil, refusal{"", "Cancelled"}
		}
	} else if initial == "=" {
		return nil, nil
	}
	response, err := base64.StdEncoding.DecodeString(initial)
	if err != nil {
		return nil, refusal{"", "That is not base64"}
	}
	return response, nil
}
