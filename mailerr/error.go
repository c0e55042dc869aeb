package mailerr

import (
	"context"
	"errors"
	"strings"
)

// Error is an error at a package border.
type Error struct {
	Op         string // what was being done: "metadata.Append"
	Kind       Kind
	ClientText string // safe to show to the client; "" means the kind's own words
	Err        error  // the cause; logged, never shown to a client
}

// Error returns all that is known, for the log.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	b.WriteString(e.Kind.String())
	if e.ClientText != "" {
		b.WriteString(": ")
		b.WriteString(e.ClientText)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an Error with a text the client may see.
func New(op string, kind Kind, clientText string) *Error {
	return &Error{Op: op, Kind: kind, ClientText: clientText}
}

// Wrap returns err as an Error of the given kind, without a text for the client. A nil err gives nil.
func Wrap(op string, kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: kind, Err: err}
}

// KindOf returns the kind of the outermost Error in err's chain. A context that ended is Unavailable: the caller gave up
// waiting, nothing is known to be wrong with the request. Everything else is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Unavailable
	}
	return Internal
}

// Is reports whether err is of the kind. A nil err is of no kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// ClientText returns what a client may be told about err: the outermost Error's ClientText, or the kind's own words. It
// never returns the text of an unclassified error.
func ClientText(err error) string {
	var e *Error
	if errors.As(err, &e) && e.ClientText != "" {
		return e.ClientText
	}
	return KindOf(err).String()
}
