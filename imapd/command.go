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

	loggedIn = authenticated | selected
	anyState = notAuthenticated | loggedIn
)

// syncMode says how the session is brought to the present after a command.
type syncMode uint8

const (
	syncKnown syncMode = iota // with what this node knows
	syncFresh                 // with what the database has
	syncNone
)

// runner is a parsed command. run writes untagged responses; its error becomes the tagged response: nil is OK, a *statusError
// (see errors.go) is said as it is, a *mailerr.Error is translated.
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
	sync syncMode
	// order says beside which others the command may run; the zero value: beside none. A runner with a method order knows better.
	order order
	// own: the command may take long, and runs in a goroutine of its own. What waits for storage in it is called through
	// session.away; it reads nothing from the connection.
	own bool
	// waits: the command's time is the client's.
	waits bool
	// parse reads the arguments, from the space after the name (if any) to the end. It has no effects.
	parse func(p *wire.Parser) (runner, error)
	// streams, if it is there, reports whether a literal that follows what p has (the arguments up to the literal) is left to
	// the command, which then reads it from session.r.Literal.
	streams func(p *wire.Parser) bool
}

// commands is the command table.
var commands = func() map[string]*command {
	table := make(map[string]*command)
	for _, c := range [...]command{
		capabilityCommand, noopCommand, logoutCommand, idCommand, languageCommand,
		startTLSCommand, authenticateCommand, loginCommand, compressCommand, unauthenticateCommand,
		enableCommand, namespaceCommand, selectCommand, examineCommand, createCommand, deleteCommand, renameCommand,
		subscribeCommand, unsubscribeCommand, listCommand, lsubCommand, xlistCommand, statusCommand, appendCommand, replaceCommand, uidReplaceCommand, genURLAuthCommand, urlFetchCommand, resetKeyCommand, idleCommand,
		checkCommand, closeCommand, unselectCommand,
		fetchCommand, uidFetchCommand, storeCommand, uidStoreCommand, searchCommand, uidSearchCommand, sortCommand, uidSortCommand, threadCommand, uidThreadCommand,
		notifyCommand, esearchCommand, uidESearchCommand, cancelUpdateCommand,
		copyCommand, uidCopyCommand, moveCommand, uidMoveCommand, expungeCommand, uidExpungeCommand,
		setACLCommand, deleteACLCommand, getACLCommand, listRightsCommand, myRightsCommand,
		getQuotaCommand, getQuotaRootCommand, setQuotaCommand,
		getMetadataCommand, setMetadataCommand,
	} {
		table[c.name] = &c
	}
	return table
}()

// lookup reads a command's name. name is the table's, "" when there is no such command.
func lookup(p *wire.Parser) (cmd *command, name string, err error) {
	if p.SP() != nil {
		return nil, "", bad("Missing command")
	}
	name, err = p.Keyword()
	if err != nil {
		return nil, "", bad("Missing command")
	}
	if name == "UID" {
		if p.SP() != nil {
			return nil, "", bad("Missing command after UID")
		}
		sub, err := p.Keyword()
		if err != nil {
			return nil, "", bad("Missing command after UID")
		}
		name += " " + sub
	}
	cmd, ok := commands[name]
	if !ok {
		return nil, "", bad("Unknown command")
	}
	return cmd, name, nil
}

// noArguments makes the parse function of a command without arguments.
func noArguments(r runner) func(p *wire.Parser) (runner, error) {
	return func(p *wire.Parser) (runner, error) { return r, p.End() }
}

// oneMailbox reads a command's only argument, a mailbox name.
func oneMailbox(p *wire.Parser) (string, error) {
	if err := p.SP(); err != nil {
		return "", err
	}
	name, err := p.Mailbox()
	if err != nil {
		return "", err
	}
	return name, p.End()
}
