package pop3d

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// states is a set of session states (RFC 1939 section 3).
type states uint8

const (
	authorization states = 1 << iota
	transaction
)

// command is a row of the command table.
type command struct {
	name   string
	states states
	// run answers the command with +OK, or returns a refusal (said as it is) or a *mailerr.Error (translated).
	run func(ctx context.Context, s *session, args string) error
}

var commands = map[string]command{}

func init() {
	for _, c := range []command{
		{"CAPA", authorization | transaction, capa},
		{"USER", authorization, user},
		{"PASS", authorization, pass},
		{"AUTH", authorization, auth},
		{"STLS", authorization, stls},
		{"UTF8", authorization, utf8Mode},
		{"LANG", authorization | transaction, lang},
		{"STAT", transaction, stat},
		{"LIST", transaction, list},
		{"UIDL", transaction, uidl},
		{"RETR", transaction, retr},
		{"TOP", transaction, top},
		{"DELE", transaction, dele},
		{"RSET", transaction, rset},
		{"NOOP", transaction, noop},
		{"QUIT", authorization | transaction, quit},
	} {
		commands[c.name] = c
	}
}

// lookup finds a line's command and its arguments. Keywords are case-insensitive (RFC 1939 section 3).
func (s *session) lookup(line string) (command, string, error) {
	name, args, _ := strings.Cut(line, " ")
	cmd, ok := commands[strings.ToUpper(name)]
	switch {
	case !ok:
		return command{}, "", errors.New("Unknown command")
	case s.drop == nil && cmd.states&authorization == 0:
		return command{}, "", errors.New("Log in first")
	case s.drop != nil && cmd.states&transaction == 0:
		return command{}, "", errors.New("You are logged in already")
	}
	return cmd, args, nil
}

// noArguments refuses arguments where there are none to give. Spaces at the end are forgiven.
func noArguments(args string) error {
	if strings.TrimSpace(args) != "" {
		return refusal{"", "This command has no arguments"}
	}
	return nil
}

// number reads a message number or a count of lines; one that is too large for any maildrop is cut.
func number(arg string) (int, error) {
	if arg == "" || strings.Trim(arg, "0123456789") != "" {
		return 0, refusal{"", "That is not a number"}
	}
	n, _ := strconv.ParseInt(arg, 10, 32) // digits only: out of range is the one error, and n is the largest then
	return int(n), nil
}
