package main

import (
	"errors"

	"github.com/rookery-mail/rookery/mailerr"
)

// explain returns an error in words for the person at the terminal: what a storage layer says for clients where it says
// something, and the cause where it is our own trouble.
func explain(err error) string {
	var e *mailerr.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	if e.ClientText != "" {
		return e.ClientText
	}
	cause := ""
	if e.Err != nil {
		cause = ": " + e.Err.Error()
	}
	if e.Kind == mailerr.Unavailable {
		return "the storage does not answer (" + e.Op + ")" + cause
	}
	return e.Op + ": " + e.Kind.String() + cause
}
