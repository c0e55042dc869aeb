package managesieved

import "context"

// states is a set of session states (RFC 5804 section 2).
type states uint8

const (
	loggedOut states = 1 << iota
	loggedIn
)

// command is a row of the command table.
type command struct {
	name   string
	states states
	args   string // see scanned.check
	// run answers the command with OK, or returns a refusal or mistake (said as they are) or a *mailerr.Error (translated).
	run func(ctx context.Context, s *session, c *scanned) error
}

var commands = map[string]command{}

func init() {
	for _, c := range []command{
		{"CAPABILITY", loggedOut | loggedIn, "", capability},
		{"NOOP", loggedOut | loggedIn, "?s", noop},
		{"LOGOUT", loggedOut | loggedIn, "", logout},
		{"STARTTLS", loggedOut, "", startTLS},
		{"AUTHENTICATE", loggedOut, "s?s", authenticate},
		{"UNAUTHENTICATE", loggedIn, "", unauthenticate},
		{"HAVESPACE", loggedIn, "sn", haveSpace},
		{"PUTSCRIPT", loggedIn, "ss", putScript},
		{"CHECKSCRIPT", loggedIn, "s", checkScript},
		{"LISTSCRIPTS", loggedIn, "", listScripts},
		{"SETACTIVE", loggedIn, "s", setActive},
		{"GETSCRIPT", loggedIn, "s", getScript},
		{"DELETESCRIPT", loggedIn, "s", deleteScript},
		{"RENAMESCRIPT", loggedIn, "ss", renameScript},
	} {
		commands[c.name] = c
	}
}

// stored bounds what a command asks of the store.
func (s *session) stored(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.srv.cfg.StoreTimeout)
}
