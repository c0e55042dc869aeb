package wire

import "errors"

// SyntaxError is a command that is not as the grammar says. The connection can go on after it: everything that belonged to
// the command has been read.
type SyntaxError struct {
	Code string // response code without brackets, "" for none
	Text string // for the BAD response; never quotes what the client sent
}

func (e *SyntaxError) Error() string { return e.Text }

func syntax(text string) error { return &SyntaxError{Text: text} }

// Errors of Reader after which the connection must be closed.
var (
	// ErrFlood: the client sends more than will be read past, as one line or as one literal.
	ErrFlood = errors.New("wire: endless command")
)
