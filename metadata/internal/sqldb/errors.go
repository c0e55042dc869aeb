package sqldb

import (
	"errors"
	"fmt"
)

// Class is what an Error means for the caller.
type Class uint8

// The classes.
const (
	Other     Class = iota // a fault in the statement or the schema: repeating it does not help
	Conflict               // serialization failure or deadlock: nothing happened, run the transaction again
	Lost                   // the database did not answer or refuses work now: nothing happened
	Ambiguous              // the connection was lost at COMMIT: it happened or not, read back
	Unique                 // a unique key is there already; nothing happened
	NoTable                // a table is missing: the schema was never migrated
)

var classNames = [...]string{
	Other: "statement failed", Conflict: "conflict", Lost: "database unavailable", Ambiguous: "commit ambiguous",
	Unique: "key exists", NoTable: "no such table",
}

// String returns the class in a person's words.
func (c Class) String() string { return classNames[c] }

// Error is an error of the database.
type Error struct {
	Class Class
	Err   error
}

// Error returns class and cause.
func (e *Error) Error() string { return fmt.Sprintf("sql: %v: %v", e.Class, e.Err) }

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the Error in err's chain; ok is false when there is none.
func ClassOf(err error) (c Class, ok bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Class, true
	}
	return Other, false
}

// Is reports whether err is of the class.
func Is(err error, c Class) bool {
	have, ok := ClassOf(err)
	return ok && have == c
}
